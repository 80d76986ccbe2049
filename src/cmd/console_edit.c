#include "cmd/console_edit.h"

#include <ctype.h>
#include <dlfcn.h>
#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

#include "cmd/console_history.h"

#define LIBRARY "libedit.so.2"

enum { CANDIDATES_SHOWN = 100 };

/* What is used of libedit. */
struct library {
	__typeof__(el_init) *init;
	__typeof__(el_end) *end;
	__typeof__(el_set) *set;
	__typeof__(el_get) *get;
	__typeof__(el_gets) *gets;
	__typeof__(el_line) *line;
	__typeof__(el_reset) *reset;
	__typeof__(el_insertstr) *insert;
	__typeof__(el_deletestr) *remove;
	__typeof__(history_init) *history_init;
	__typeof__(history_end) *history_end;
	__typeof__(history) *history;
};

struct edit {
	struct edit_calls calls;
	void *handle; /* of dlopen(3); NULL: there is no libedit */
	struct library library;
	EditLine *line;
	History *history;
	int folder; /* of the history; -1 */
	const char *prompt;
	char *plain; /* getline(3)'s, without libedit */
	size_t plain_size;
};

/* --- the library --- */

static int load(struct edit *edit)
{
	struct library *library = &edit->library;
	const struct {
		const char *name;
		void *place;
	} symbols[] = {
	    {"el_init", &library->init},
	    {"el_end", &library->end},
	    {"el_set", &library->set},
	    {"el_get", &library->get},
	    {"el_gets", &library->gets},
	    {"el_line", &library->line},
	    {"el_reset", &library->reset},
	    {"el_insertstr", &library->insert},
	    {"el_deletestr", &library->remove},
	    {"history_init", &library->history_init},
	    {"history_end", &library->history_end},
	    {"history", &library->history},
	};

	edit->handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; edit->handle && i < sizeof symbols / sizeof *symbols; i++) {
		void *symbol = dlsym(edit->handle, symbols[i].name);

		if (!symbol)
			return -1;
		memcpy(symbols[i].place, &symbol, sizeof symbol);
	}
	return edit->handle ? 0 : -1;
}

/* --- completion --- */

size_t edit_word(const char *text, size_t length)
{
	while (length > 0 &&
	       (isalnum((unsigned char)text[length - 1]) || strchr("_.:", text[length - 1])))
		length--;
	return length;
}

size_t edit_common(const char *candidates, size_t *count)
{
	size_t common = strcspn(candidates, "\n");
	const char *first = candidates;

	for (*count = 0; *candidates; (*count)++) {
		size_t length = strcspn(candidates, "\n"), same = 0;

		while (same < common && same < length && candidates[same] == first[same])
			same++;
		common = same;
		candidates += length + (candidates[length] == '\n');
	}
	return common;
}

/* Below the line that is being typed, which is then drawn anew. */
static void show(const char *candidates, size_t count)
{
	size_t shown = count < CANDIDATES_SHOWN ? count : CANDIDATES_SHOWN;

	fputc('\n', stdout);
	for (size_t i = 0; i < shown; i++) {
		size_t length = strcspn(candidates, "\n");

		printf("%.*s\n", (int)length, candidates);
		candidates += length + (candidates[length] == '\n');
	}
	if (shown < count)
		printf("and %zu more\n", count - shown);
	fflush(stdout);
}

/* Puts what all candidates have in common in the place of the word. */
static unsigned char replace(struct edit *edit, const LineInfo *line, const char *candidates)
{
	size_t before = (size_t)(line->cursor - line->buffer);
	size_t word = edit_word(line->buffer, before);
	size_t count, common = edit_common(candidates, &count);
	char *text = strndup(candidates, common);
	bool longer = common > before - word;

	if (text && count > 0 && (longer || count == 1)) {
		edit->library.remove(edit->line, (int)(before - word));
		(void)edit->library.insert(edit->line, text);
	}
	free(text);
	if (count > 1 && !longer) {
		show(candidates, count);
		return CC_REDISPLAY;
	}
	return count == 0 ? CC_ERROR : CC_REFRESH;
}

/* libedit's callbacks are given nothing but its own object, which knows ours; its function that
 * tells is found once more. */
static struct edit *edit_of(EditLine *line)
{
	void *handle = dlopen(LIBRARY, RTLD_NOW | RTLD_NOLOAD);
	void *symbol = handle ? dlsym(handle, "el_get") : NULL;
	__typeof__(el_get) *get;
	struct edit *edit = NULL;

	memcpy(&get, &symbol, sizeof get);
	if (get)
		(void)get(line, EL_CLIENTDATA, &edit);
	if (handle)
		dlclose(handle); /* of three that hold it, one less */
	return edit;
}

static unsigned char complete(EditLine *el, int key)
{
	struct edit *edit = edit_of(el);
	const LineInfo *line;
	unsigned char result;
	char *candidates;

	(void)key;
	if (!edit)
		return CC_ERROR;
	line = edit->library.line(el);
	candidates = edit->calls.complete(edit->calls.data, line->buffer,
					  (size_t)(line->cursor - line->buffer));
	if (!candidates)
		return CC_ERROR;
	result = replace(edit, line, candidates);
	free(candidates);
	return result;
}

static char *prompt_of(EditLine *el)
{
	const struct edit *edit = edit_of(el);

	return edit ? (char *)(uintptr_t)edit->prompt : NULL;
}

/* --- reading --- */

static volatile sig_atomic_t interrupted;

/* It only has to end the reading. */
static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static bool is_interrupted(void)
{
	return interrupted;
}

/* A character of the terminal, as libedit's own function reads it, once the caller has waited. */
static int read_character(EditLine *line, wchar_t *to)
{
	struct edit *edit = edit_of(line);
	mbstate_t state = {0};
	size_t length = 2; /* more of it is to come */
	char byte;

	do {
		ssize_t count;

		if (edit)
			edit->calls.wait(edit->calls.data, is_interrupted);
		errno = EINTR;
		count = interrupted ? -1 : read(STDIN_FILENO, &byte, 1);
		if (count < 0 && errno == EINTR && !interrupted)
			continue; /* another signal, the window's size for example */
		if (count != 1)
			return (int)count;
		length = mbrtowc(to, &byte, 1, &state);
		if (length == (size_t)-1)
			state = (mbstate_t){0}; /* no character: the next byte begins one */
	} while (length > 1);
	return 1;
}

/* --- history --- */

static void load_history(struct edit *edit)
{
	char path[64];
	HistEvent event;
	int fd = history_read(edit->folder);

	if (fd < 0)
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	(void)edit->library.history(edit->history, &event, H_LOAD, path);
	close(fd);
}

void edit_save(struct edit *edit)
{
	HistEvent event;
	int fd = edit->folder < 0 || !edit->history ? -1 : history_write(edit->folder);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");

	if (!out) {
		if (fd >= 0)
			close(fd);
		return;
	}
	(void)edit->library.history(edit->history, &event, H_SAVE_FP, out);
	fclose(out);
}

void edit_remember(struct edit *edit, const char *text)
{
	size_t length = strlen(text);
	HistEvent event;
	char *entry;

	if (!edit->history)
		return;
	while (length > 0 && text[length - 1] == '\n')
		length--;
	entry = strndup(text, length);
	if (entry && length > 0)
		(void)edit->library.history(edit->history, &event, H_ENTER, entry);
	free(entry);
}

/* --- open, read, close --- */

static void set_up(struct edit *edit)
{
	const struct library *library = &edit->library;
	HistEvent event;

	(void)library->set(edit->line, EL_CLIENTDATA, edit);
	(void)library->set(edit->line, EL_PROMPT, prompt_of);
	(void)library->set(edit->line, EL_SIGNAL, 1);
	(void)library->set(edit->line, EL_EDITOR, "emacs");
	if (edit->calls.wait)
		(void)library->set(edit->line, EL_GETCFN, read_character);
	(void)library->set(edit->line, EL_HIST, library->history, edit->history);
	(void)library->set(edit->line, EL_ADDFN, "luvd-complete", "complete a Lua name", complete);
	(void)library->set(edit->line, EL_BIND, "^I", "luvd-complete", NULL);
	/* Ctrl-D that was typed while the terminal still read whole lines: the kernel gives a 0. */
	(void)library->set(edit->line, EL_BIND, "^@", "em-delete-or-list", NULL);
	(void)library->set(edit->line, EL_BIND, "^R", "em-inc-search-prev", NULL);
	(void)library->history(edit->history, &event, H_SETSIZE, HISTORY_LINES);
	(void)library->history(edit->history, &event, H_SETUNIQUE, 1);
	if (edit->folder >= 0)
		load_history(edit);
}

static void unload(struct edit *edit)
{
	if (edit->history)
		edit->library.history_end(edit->history);
	if (edit->line)
		edit->library.end(edit->line);
	edit->history = NULL;
	edit->line = NULL;
}

struct edit *edit_open(const struct source *source, const struct edit_calls *calls)
{
	struct edit *edit = calloc(1, sizeof *edit);

	if (!edit)
		return NULL;
	edit->calls = *calls;
	edit->folder = history_folder(source);
	if (load(edit) < 0)
		return edit;
	(void)setlocale(LC_CTYPE, ""); /* its lines are of the terminal's characters */
	edit->history = edit->library.history_init();
	edit->line = edit->library.init("luvd", stdin, stdout, stderr);
	if (edit->history && edit->line)
		set_up(edit);
	else
		unload(edit);
	return edit;
}

static const char *read_plain(struct edit *edit, const char *prompt, size_t *length)
{
	ssize_t n;

	fputs(prompt, stdout);
	fflush(stdout);
	n = getline(&edit->plain, &edit->plain_size, stdin);
	*length = n > 0 ? (size_t)n : 0;
	return n > 0 ? edit->plain : NULL;
}

const char *edit_line(struct edit *edit, const char *prompt, size_t *length, bool *cancelled)
{
	struct sigaction before;
	const char *line;
	int count = 0;

	*cancelled = false;
	if (!edit->line)
		return read_plain(edit, prompt, length);
	edit->prompt = prompt;
	errno = 0;
	interrupted = 0;
	sigaction(SIGINT, &(struct sigaction){.sa_handler = on_interrupt}, &before);
	line = edit->library.gets(edit->line, &count);
	sigaction(SIGINT, &before, NULL);
	*length = line && count > 0 ? (size_t)count : 0;
	if (*length > 0)
		return line;
	*cancelled = count < 0 && errno == EINTR;
	if (!*cancelled)
		return NULL;
	edit->library.reset(edit->line);
	return "";
}

void edit_close(struct edit *edit)
{
	if (!edit)
		return;
	edit_save(edit);
	unload(edit);
	if (edit->handle)
		dlclose(edit->handle);
	if (edit->folder >= 0)
		close(edit->folder);
	free(edit->plain);
	free(edit);
}

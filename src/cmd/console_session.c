#include "cmd/console_session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/control.h"

static void keep(void *data, const char *bytes, size_t length)
{
	fwrite(bytes, 1, length, data);
}

/* 0 or 1 of RESULT, or -1. timeout_ms -1: as long as the Lua takes. */
static int hear(const struct session *session, int timeout_ms, char **text, struct err *err)
{
	struct answer answer;
	size_t length = 0;
	FILE *out;
	int result;

	*text = NULL;
	out = open_memstream(text, &length);
	if (!out)
		return err_sys(err, "cannot read the daemon's answer");
	result = client_receive(session->fd, keep, out, timeout_ms, &answer, err);
	if (fclose(out) != 0)
		result = err_sys(err, "cannot read the daemon's answer");
	if (result == 0 && answer.result && *text)
		return answer.code == EXIT_DONE ? 0 : 1;
	free(*text);
	*text = NULL;
	if (result < 0)
		return -1;
	err->exit = answer.ended ? answer.code : EXIT_FAILED;
	return err_set(err, "%s", answer.ended ? answer.text : "the daemon has ended");
}

int session_open(struct session *session, const struct target *target, int worker, struct err *err)
{
	char request[32] = "console";
	struct err why = {0};
	char text[ERR_TEXT_MAX];

	*session = (struct session){.fd = client_connect(target, err)};
	if (session->fd < 0)
		return -1;
	if (worker)
		snprintf(request, sizeof request, "console %d", worker);
	if (client_send(session->fd, request, &why) == 0 &&
	    hear(session, ANSWER_MS, &session->place, &why) == 0 && session->place) {
		session->place[strcspn(session->place, "\n")] = 0;
		return 0;
	}
	session_close(session);
	err->exit = why.exit;
	return err_set(err, "%s: %s", target->name, err_text(&why, text, sizeof text));
}

void session_close(struct session *session)
{
	if (session->fd > 0)
		close(session->fd);
	free(session->place);
	*session = (struct session){0};
}

int session_evaluate(struct session *session, const char *text, size_t length, char **answer,
		     struct err *err)
{
	*answer = NULL;
	if (length > CONTROL_LUA_MAX) {
		err->exit = EXIT_USAGE;
		return err_set(err, "this is longer than %d bytes", CONTROL_LUA_MAX);
	}
	if (memchr(text, 0, length)) {
		err->exit = EXIT_USAGE;
		return err_set(err, "there is a zero byte in it");
	}
	if (client_say(session->fd, FRAME_LUA, text, length, err) < 0)
		return -1;
	return hear(session, -1, answer, err);
}

char *session_complete(struct session *session, const char *text, size_t length)
{
	struct err err = {0};
	char *answer;

	if (length > CONTROL_LUA_MAX ||
	    client_say(session->fd, FRAME_COMPLETE, text, length, &err) < 0)
		return NULL;
	if (hear(session, ANSWER_MS, &answer, &err) == 0)
		return answer;
	free(answer);
	return NULL;
}

bool session_is_unfinished(const char *error)
{
	static const char mark[] = "near <eof>";
	size_t length = strcspn(error, "\n");

	return length >= sizeof mark - 1 &&
	       memcmp(error + length - (sizeof mark - 1), mark, sizeof mark - 1) == 0;
}

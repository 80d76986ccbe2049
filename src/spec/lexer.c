#include "spec/lexer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void lexer_init(struct lexer *lexer, const char *text, size_t length)
{
	*lexer = (struct lexer){.at = text, .end = text + length, .line = 1};
	if (length && *text == '#')
		while (lexer->at < lexer->end && *lexer->at != '\n')
			lexer->at++;
}

static int peek(const struct lexer *lexer, size_t ahead)
{
	return (size_t)(lexer->end - lexer->at) > ahead ? (unsigned char)lexer->at[ahead] : 0;
}

/* The number of "=" in "[==[" at bytes, or -1 when no long bracket opens there. */
static int bracket_level(const char *at, const char *end)
{
	int level = 0;

	if (at == end || *at != '[')
		return -1;
	for (at++; at < end && *at == '='; at++)
		level++;
	return at < end && *at == '[' ? level : -1;
}

static bool closes(const char *at, const char *end, int level)
{
	if (end - at < level + 2 || *at != ']' || at[level + 1] != ']')
		return false;
	for (int i = 1; i <= level; i++)
		if (at[i] != '=')
			return false;
	return true;
}

static void skip_long(struct lexer *lexer, int level)
{
	for (lexer->at += level + 2; lexer->at < lexer->end; lexer->at++) {
		if (closes(lexer->at, lexer->end, level)) {
			lexer->at += level + 2;
			return;
		}
		lexer->line += *lexer->at == '\n';
	}
}

static void skip_comment(struct lexer *lexer)
{
	int level;

	lexer->at += 2;
	level = bracket_level(lexer->at, lexer->end);
	if (level >= 0) {
		skip_long(lexer, level);
		return;
	}
	while (lexer->at < lexer->end && *lexer->at != '\n')
		lexer->at++;
}

static void skip_space(struct lexer *lexer)
{
	while (lexer->at < lexer->end) {
		if (peek(lexer, 0) == '-' && peek(lexer, 1) == '-') {
			skip_comment(lexer);
		} else if (isspace((unsigned char)*lexer->at)) {
			lexer->line += *lexer->at == '\n';
			lexer->at++;
		} else {
			return;
		}
	}
}

static void skip_quoted(struct lexer *lexer)
{
	char quote = *lexer->at++;

	while (lexer->at < lexer->end && *lexer->at != quote) {
		if (*lexer->at == '\n')
			lexer->line++;
		else if (*lexer->at == '\\' && peek(lexer, 1) == 'z')
			lexer->at++; /* the newlines that it skips are counted as they come */
		else if (*lexer->at == '\\' && lexer->at + 1 < lexer->end)
			lexer->line += *++lexer->at == '\n';
		lexer->at++;
	}
	if (lexer->at < lexer->end)
		lexer->at++;
}

static void skip_number(struct lexer *lexer)
{
	while (lexer->at < lexer->end) {
		int c = peek(lexer, 0);

		if (strchr("eEpP", c) && (peek(lexer, 1) == '+' || peek(lexer, 1) == '-'))
			lexer->at++;
		else if (!isalnum(c) && c != '.' && c != '_')
			return;
		lexer->at++;
	}
}

static void skip_symbol(struct lexer *lexer)
{
	static const char *const pairs[] = {"..", "==", "~=", "<=", ">=", "//", "::", "<<", ">>"};

	if (peek(lexer, 0) == '.' && peek(lexer, 1) == '.' && peek(lexer, 2) == '.') {
		lexer->at += 3;
		return;
	}
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (peek(lexer, 0) == pairs[i][0] && peek(lexer, 1) == pairs[i][1])
			lexer->at++, i = sizeof pairs / sizeof *pairs;
	lexer->at++;
}

static enum token_type skip_token(struct lexer *lexer)
{
	int c = peek(lexer, 0), level = bracket_level(lexer->at, lexer->end);

	if (lexer->at == lexer->end)
		return TOKEN_END;
	if (isalpha(c) || c == '_') {
		while (isalnum(peek(lexer, 0)) || peek(lexer, 0) == '_')
			lexer->at++;
		return TOKEN_NAME;
	}
	if (isdigit(c) || (c == '.' && isdigit(peek(lexer, 1)))) {
		skip_number(lexer);
		return TOKEN_NUMBER;
	}
	if (c == '"' || c == '\'') {
		skip_quoted(lexer);
		return TOKEN_STRING;
	}
	if (level >= 0) {
		skip_long(lexer, level);
		return TOKEN_STRING;
	}
	skip_symbol(lexer);
	return TOKEN_SYMBOL;
}

const struct token *lexer_next(struct lexer *lexer)
{
	lexer->before = lexer->token;
	skip_space(lexer);
	lexer->token.bytes = lexer->at;
	lexer->token.line = lexer->line;
	lexer->token.type = skip_token(lexer);
	lexer->token.length = (size_t)(lexer->at - lexer->token.bytes);
	return &lexer->token;
}

bool token_is(const struct token *token, const char *text)
{
	return (token->type == TOKEN_NAME || token->type == TOKEN_SYMBOL) &&
	       token->length == strlen(text) && memcmp(token->bytes, text, token->length) == 0;
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static size_t put_utf8(char *to, unsigned long code)
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		to[0] = (char)(0xC0 | code >> 6);
		to[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		to[0] = (char)(0xE0 | code >> 12);
		to[1] = (char)(0x80 | (code >> 6 & 0x3F));
		to[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	to[0] = (char)(0xF0 | (code >> 18 & 7));
	to[1] = (char)(0x80 | (code >> 12 & 0x3F));
	to[2] = (char)(0x80 | (code >> 6 & 0x3F));
	to[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

/* One escape, *at behind its backslash; writes at most as many bytes as it reads. */
static size_t unescape(const char **at, const char *end, char *to)
{
	static const char letters[] = "abfnrtv", meanings[] = "\a\b\f\n\r\t\v";
	const char *p = *at, *letter;
	unsigned long code = 0;
	int digits = 0;

	if (*p == 'z') {
		for (p++; p < end && isspace((unsigned char)*p); p++)
			;
		*at = p;
		return 0;
	}
	if (*p == 'x' && end - p > 2) {
		*to = (char)(hex_digit(p[1]) * 16 + hex_digit(p[2]));
		*at = p + 3;
		return 1;
	}
	if (*p == 'u' && end - p > 2 && p[1] == '{') {
		for (p += 2; p < end && *p != '}' && digits++ < 8; p++)
			code = code * 16 + (unsigned long)hex_digit(*p);
		*at = p + (p < end);
		return put_utf8(to, code);
	}
	for (; digits < 3 && p < end && isdigit((unsigned char)*p); digits++)
		code = code * 10 + (unsigned long)(*p++ - '0');
	if (digits) {
		*to = (char)code;
		*at = p;
		return 1;
	}
	letter = strchr(letters, *p);
	if (letter && *p)
		*to = meanings[letter - letters];
	else
		*to = *p;
	*at = p + 1;
	return 1;
}

char *token_string(const struct token *token, size_t *length)
{
	const char *at = token->bytes, *end = at + token->length;
	int level = bracket_level(at, end);
	char *text = malloc(token->length + 1);
	size_t n = 0;

	if (!text)
		return NULL;
	if (level >= 0) {
		at += level + 2;
		end -= end - at >= level + 2 ? level + 2 : 0;
		/* A newline right after the bracket does not count. */
		if (at < end && *at == '\r')
			at++;
		if (at < end && *at == '\n')
			at++;
		n = (size_t)(end - at);
		memcpy(text, at, n);
	} else {
		for (at++, end -= end - at >= 1; at < end;) {
			if (*at == '\\' && at + 1 < end) {
				at++;
				n += unescape(&at, end, text + n);
			} else {
				text[n++] = *at++;
			}
		}
	}
	text[n] = 0;
	*length = n;
	return text;
}

static int give(struct lexer *lexer, struct required *required, bool optional)
{
	size_t length;

	required->line = lexer->token.line;
	required->optional = optional;
	required->name = token_string(&lexer->token, &length);
	return required->name ? 1 : -1;
}

/* Behind the word require: is its argument a literal? Leaves the lexer on it. */
static bool at_literal(struct lexer *lexer, bool optional)
{
	const struct token *token = lexer_next(lexer);
	struct lexer after;

	if (token->type == TOKEN_STRING && !optional)
		return true;
	if (!token_is(token, optional ? "," : "(") || lexer_next(lexer)->type != TOKEN_STRING)
		return false;
	/* require("x" .. y) names no module. */
	after = *lexer;
	return token_is(lexer_next(&after), ")");
}

/* Not x.require, x:require, function require or local require. */
static bool is_call(const struct token *before)
{
	return !token_is(before, ".") && !token_is(before, ":") && !token_is(before, "function") &&
	       !token_is(before, "local");
}

int lexer_require(struct lexer *lexer, struct required *required)
{
	for (;;) {
		struct lexer saved;
		bool optional = false, called;

		if (lexer_next(lexer)->type == TOKEN_END)
			return 0;
		called = is_call(&lexer->before);
		if (token_is(&lexer->token, "pcall") && called) {
			saved = *lexer;
			optional = token_is(lexer_next(lexer), "(") &&
				   token_is(lexer_next(lexer), "require");
			if (!optional) {
				*lexer = saved;
				continue;
			}
		} else if (!token_is(&lexer->token, "require") || !called) {
			continue;
		}
		saved = *lexer;
		if (at_literal(lexer, optional))
			return give(lexer, required, optional);
		*lexer = saved;
	}
}

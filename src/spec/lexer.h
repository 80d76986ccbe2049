#ifndef LUVD_SPEC_LEXER_H
#define LUVD_SPEC_LEXER_H

#include <stdbool.h>
#include <stddef.h>

/* The words of a Lua 5.4 text with their lines: just enough to find where keys stand and which
 * modules are required, without running anything. Wrong Lua gives odd words, never an error:
 * Lua itself has compiled the text before. */

enum token_type {
	TOKEN_END,
	TOKEN_NAME, /* keywords too */
	TOKEN_STRING,
	TOKEN_NUMBER,
	TOKEN_SYMBOL /* one character, but "..", "...", "==", "~=", "<=", ">=", "//", "::", "<<",
		      * ">>"
		      */
};

struct token {
	enum token_type type;
	int line;
	const char *bytes; /* in the text; of a string: with its quotes */
	size_t length;
};

struct lexer {
	const char *at, *end;
	int line;
	struct token token;  /* the one that was read last */
	struct token before; /* the one before it */
};

/* text need not be closed by a 0. A first line with "#" is passed over. */
void lexer_init(struct lexer *lexer, const char *text, size_t length);
const struct token *lexer_next(struct lexer *lexer);

bool token_is(const struct token *token, const char *text);
/* The bytes that a string token means, closed by a 0 (which may also occur inside); NULL when out
 * of memory. The caller frees it. */
char *token_string(const struct token *token, size_t *length);

/* The next require with a literal name, "require 'x'", "require(\"x\")", "require[[x]]",
 * "pcall(require, 'x')". The caller frees name. */
struct required {
	char *name;
	int line;
	bool optional; /* inside pcall */
};
/* 1: found; 0: no more; -1: out of memory. */
int lexer_require(struct lexer *lexer, struct required *required);

#endif

#ifndef LUVD_SERVICE_JSON_NUMBER_H
#define LUVD_SERVICE_JSON_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Numbers of JSON, RFC 8259 section 6, in whatever locale. */

enum {
	NUMBER_WRITTEN_MAX = 32, /* what the two below write at most */
	NUMBER_READ_MAX = 1000   /* characters of a number that is not a plain integer */
};

/* Powers of ten that a double holds exactly. */
enum { NUMBER_TENS = 23 };
extern const double number_tens[NUMBER_TENS];

/* Both give the length. */
size_t number_write_integer(char *out, int64_t integer);
/* real is finite. The digits are the fewest that read back as the same number, one more in rare
 * cases of 16 digits and above. A whole one below 2^53 has no fraction, as in JavaScript; one
 * above has an exponent, so that it is not taken for an exact integer. */
size_t number_write_real(char *out, double real);

enum number_kind { NUMBER_WRONG, NUMBER_INTEGER, NUMBER_REAL };

struct number {
	int64_t integer;
	double real;
	const char *wrong; /* what is */
};

/* Reads the number at *at and moves *at behind it, or to what is wrong. An integer beyond 64 bits
 * and minus zero are real. */
enum number_kind number_read(const char **at, const char *end, struct number *number);

#endif

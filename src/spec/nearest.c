#include "spec/nearest.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { WORD_MAX = 63 };

static int least(int a, int b, int c)
{
	int ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static int differ(char a, char b)
{
	return tolower((unsigned char)a) != tolower((unsigned char)b);
}

int nearest_distance(const char *a, const char *b)
{
	size_t m = strnlen(a, WORD_MAX), n = strnlen(b, WORD_MAX);
	int rows[3][WORD_MAX + 1]; /* the row before the last one, the last one, this one */
	int *older = rows[0], *old = rows[1], *now = rows[2];

	for (size_t j = 0; j <= n; j++)
		old[j] = (int)j;
	for (size_t i = 1; i <= m; i++) {
		int *spare = older;

		now[0] = (int)i;
		for (size_t j = 1; j <= n; j++) {
			int cost = differ(a[i - 1], b[j - 1]);

			now[j] = least(now[j - 1] + 1, old[j] + 1, old[j - 1] + cost);
			if (i > 1 && j > 1 && !differ(a[i - 1], b[j - 2]) &&
			    !differ(a[i - 2], b[j - 1]) && older[j - 2] + 1 < now[j])
				now[j] = older[j - 2] + 1;
		}
		older = old;
		old = now;
		now = spare;
	}
	return old[n];
}

void nearest_init(struct nearest *nearest, const char *word)
{
	size_t length = strnlen(word, WORD_MAX);

	nearest->word = word;
	nearest->best = NULL;
	nearest->distance = length < 6 ? 2 : (int)(length / 3) + 1;
	if (length < 3)
		nearest->distance = (int)length;
}

void nearest_try(struct nearest *nearest, const char *candidate)
{
	int distance = nearest_distance(nearest->word, candidate);

	if (distance < nearest->distance) {
		nearest->distance = distance;
		nearest->best = candidate;
	}
}

#ifndef LUVD_SPEC_NEAREST_H
#define LUVD_SPEC_NEAREST_H

/* The right name nearest to a wrong one: fewest insertions, deletions, exchanges and swaps of
 * neighbours (restricted Damerau-Levenshtein distance), case ignored. */
struct nearest {
	const char *word;
	const char *best; /* NULL while none is near enough: a third of the letters may differ */
	int distance;
};

void nearest_init(struct nearest *nearest, const char *word);
void nearest_try(struct nearest *nearest, const char *candidate);
int nearest_distance(const char *a, const char *b); /* words over 63 bytes are cut */

#endif

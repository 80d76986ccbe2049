#include <llhttp.h>

/* What llhttp's api.c calls instead of llhttp__internal_execute. Both keep their state in the same
 * struct, in the same way. */

int llhttp__internal_execute_sse(llhttp__internal_t *state, const char *bytes, const char *end);
int llhttp_execute_chosen(llhttp__internal_t *state, const char *bytes, const char *end);

int llhttp_execute_chosen(llhttp__internal_t *state, const char *bytes, const char *end)
{
	if (__builtin_cpu_supports("sse4.2"))
		return llhttp__internal_execute_sse(state, bytes, end);
	return llhttp__internal_execute(state, bytes, end);
}

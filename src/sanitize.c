/* Only in sanitizer builds. The leak check at exit needs /proc and ptrace(2), which a confined
 * daemon has taken from itself: it would end every clean stop with a failure. Leaks are
 * valgrind's. */

const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

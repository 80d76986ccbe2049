/* Plays a new luvd that can read the daemon's state, but not take over: it executes the one that
 * was there before, as luvd itself does then. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fcntl.h>
#include <sys/syscall.h>

static int give_back(char **words)
{
	char program[] = "luvd", command[] = "monitor", word[] = "resume",
	     why[] = "it only plays a luvd", padding[] = "                                ";
	char *arguments[] = {program, command, word, words[3], words[4], why, padding, NULL};
	char *none[] = {NULL};

	syscall(SYS_execveat, atoi(words[4]), "", arguments, none, AT_EMPTY_PATH);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[2], "check") == 0)
		return puts("ready 9.9") < 0;
	return argc == 6 ? give_back(argv) : 2;
}

/* A service manager's ear: prints every datagram that comes to a unix socket, one line each,
 * newlines inside as " | ". luv 1.44 has no unix datagram sockets.
 *
 *   datagrams PATH
 *
 * Prints "listening" first. Ends when its standard input does. */

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_at(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(125, "path too long");
	strcpy(address.sun_path, path);
	if (fd == -1 || bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		err(125, "%s", path);
	if (chmod(path, 0666) == -1)
		err(125, "%s", path);
	return fd;
}

static void print_one(int fd)
{
	char bytes[4096];
	const ssize_t length = recv(fd, bytes, sizeof(bytes), 0);

	for (ssize_t i = 0; i < length; i++) {
		if (bytes[i] != '\n')
			putchar(bytes[i]);
		else if (i + 1 < length)
			fputs(" | ", stdout);
	}
	putchar('\n');
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char byte;

	if (argc != 2)
		return 125;
	struct pollfd wait[] = {{.fd = listen_at(argv[1]), .events = POLLIN},
				{.fd = 0, .events = POLLIN}};
	puts("listening");
	fflush(stdout);
	while (poll(wait, 2, -1) > 0) {
		if (wait[0].revents != 0)
			print_one(wait[0].fd);
		else if (wait[1].revents != 0 && read(0, &byte, 1) <= 0)
			break;
	}
	unlink(argv[1]);
	return 0;
}

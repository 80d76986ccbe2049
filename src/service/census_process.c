#include "service/census.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "service/conn.h"
#include "service/vm.h"
#include "sys/sys.h"

enum { TEXT = 512 };

/* --- descriptors --- */

/* The loop opens these when they are first needed, and keeps them. */
static bool is_loops(const uv_loop_t *loop, int fd, const char *path)
{
	return fd == loop->signal_pipefd[0] || fd == loop->signal_pipefd[1] ||
	       fd == loop->emfile_fd || fd == uv_backend_fd(loop) ||
	       strcmp(path, "anon_inode:inotify") == 0;
}

/* "tcp://127.0.0.1:80", or what the kernel calls it. */
static const char *name_of_socket(int fd, char name[CONN_ADDRESS_MAX], const char *path)
{
	struct sockaddr_storage address = {0};
	socklen_t length = sizeof address;
	struct conn_peer peer;

	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0 ||
	    (address.ss_family != AF_INET && address.ss_family != AF_INET6))
		return path;
	peer = conn_peer_of(&address);
	return conn_peer_text(&peer, name);
}

static void add_descriptors(struct census *census)
{
	char path[CENSUS_NAME], name[CONN_ADDRESS_MAX], id[CENSUS_NAME + 32], text[TEXT];
	int list[CENSUS_FDS];
	size_t count = sys_descriptors(list, CENSUS_FDS);

	for (size_t i = 0; i < count; i++) {
		if ((list[i] < CENSUS_FDS && census->fds[list[i]]) ||
		    sys_descriptor_name(list[i], path, sizeof path) < 0 ||
		    is_loops(census->vm->loop, list[i], path))
			continue;
		snprintf(id, sizeof id, "fd %d %s", list[i], path);
		snprintf(text, sizeof text, "descriptor %d: %s", list[i],
			 strncmp(path, "socket:", 7) == 0 ? name_of_socket(list[i], name, path)
							  : path);
		census_add_as(census, id, NULL, text);
	}
}

/* --- child processes --- */

const char *census_child_name(pid_t pid, char name[CENSUS_NAME])
{
	if (sys_process_name(pid, name, CENSUS_NAME) < 0)
		snprintf(name, CENSUS_NAME, "ended");
	return name;
}

static bool is_owned_child(const struct census *census, pid_t pid)
{
	for (size_t i = 0; i < census->child_count; i++)
		if (census->children[i] == pid)
			return true;
	return false;
}

static void add_children(struct census *census)
{
	char name[CENSUS_NAME], id[64], text[TEXT];
	pid_t list[CENSUS_CHILDREN];
	size_t count = sys_children(list, CENSUS_CHILDREN);

	for (size_t i = 0; i < count; i++) {
		if (is_owned_child(census, list[i]))
			continue;
		snprintf(id, sizeof id, "process %ld", (long)list[i]);
		snprintf(text, sizeof text, "process %ld (%s)", (long)list[i],
			 census_child_name(list[i], name));
		census_add_as(census, id, NULL, text);
	}
}

void census_add_process(struct census *census)
{
	add_descriptors(census);
	add_children(census);
}

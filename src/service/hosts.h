#ifndef LUVD_SERVICE_HOSTS_H
#define LUVD_SERVICE_HOSTS_H

#include <stddef.h>
#include <sys/socket.h>

/* The texts of /etc/hosts and /etc/resolv.conf, read before the root was changed. */

enum { NAMESERVERS_MAX = 3, SEARCHES_MAX = 6, SEARCH_TEXT_MAX = 254 };

/* Fills found with the addresses of name, port 0, at most max; returns how many. hosts(5): names
 * are compared without case. localhost is always there (RFC 6761, section 6.3). text may be
 * NULL. */
size_t hosts_find(const char *text, const char *name, struct sockaddr_storage *found, size_t max);

/* resolv.conf(5), as far as it says where and how to ask. */
struct resolver_settings {
	char servers[256]; /* "10.0.0.1:53,[::1]:53"; "127.0.0.1:53" when none is named */
	char search[SEARCHES_MAX][SEARCH_TEXT_MAX];
	int search_count;
	int ndots, timeout, attempts; /* timeout in seconds */
};
/* text may be NULL. What is not understood is passed over, as the C library does. */
void resolver_settings(const char *text, struct resolver_settings *settings);

#endif

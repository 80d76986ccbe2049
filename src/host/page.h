#ifndef LUVD_HOST_PAGE_H
#define LUVD_HOST_PAGE_H

#include "host/control.h"
#include "host/report.h"

/* An answer that is written as a stream and sent as a whole. */

struct page {
	FILE *out;
	char *text;
	size_t length;
	int wrong; /* lines of an audit that do not hold */
	struct control_client *client;
};

/* -1: out of memory, which the client has been told. */
int page_open(struct page *page, struct control_client *client);
/* Sends what was written, and ends the client. Of an audit with lines that do not hold it says so,
 * EXIT_FAILED. */
void page_send(struct page *page);
/* One report, as page_open to page_send. */
void page_report(const struct report *report, struct control_client *client,
		 enum control_form form);
/* A line of an audit; data: the page. */
void page_audit(void *data, const char *line, bool holds);

#endif

#include "host/page.h"

#include <stdlib.h>
#include <string.h>

int page_open(struct page *page, struct control_client *client)
{
	*page = (struct page){.client = client};
	page->out = open_memstream(&page->text, &page->length);
	if (page->out)
		return 0;
	control_end(client, EXIT_FAILED, "out of memory");
	return -1;
}

void page_send(struct page *page)
{
	char text[64] = "";

	if (page->wrong)
		snprintf(text, sizeof text, "%d proof%s not hold", page->wrong,
			 page->wrong == 1 ? " does" : "s do");
	if (fclose(page->out) == 0) {
		control_print(page->client, page->text, page->length);
		control_end(page->client, page->wrong ? EXIT_FAILED : EXIT_DONE, text);
	} else {
		control_end(page->client, EXIT_FAILED, "out of memory");
	}
	free(page->text);
}

void page_report(const struct report *report, struct control_client *client, enum control_form form)
{
	static void (*const prints[])(const struct report *,
				      FILE *) = {[CONTROL_TEXT] = report_text,
						 [CONTROL_JSON] = report_json,
						 [CONTROL_METRICS] = report_metrics};
	struct page page;

	if (page_open(&page, client) < 0)
		return;
	prints[form](report, page.out);
	page_send(&page);
}

void page_audit(void *data, const char *line, bool holds)
{
	struct page *page = data;
	const char *colon = strchr(line, ':');
	int length = colon ? (int)(colon - line) : 0;

	page->wrong += !holds;
	fprintf(page->out, "  %-5s  ", holds ? "holds" : "WRONG");
	fprintf(page->out, "%-14.*s", length, line);
	line += colon ? length + 1 + (colon[1] == ' ') : 0;
	text_line(page->out, line, strlen(line));
	fputc('\n', page->out);
}

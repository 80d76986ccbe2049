#include "service/lookup.h"

#include <ares.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "service/alarm.h"
#include "service/hosts.h"
#include "service/list.h"
#include "service/vm.h"

/* One of c-ares' sockets. */
struct watch {
	struct vm *vm;
	struct resolver *resolver; /* may be gone when the poll is closed */
	struct link all;
	uv_poll_t poll;
	ares_socket_t socket;
	int events; /* that c-ares waits for */
};

/* Made by the first name that is not in hosts. */
struct resolver {
	struct vm *vm;
	ares_channel channel;
	struct link watches;
	struct alarm alarm; /* c-ares' next timeout */
	unsigned asked;     /* questions on their way */
};

/* --- c-ares on the loop --- */

static void set_alarm(struct resolver *resolver)
{
	struct alarms *alarms = &resolver->vm->alarms;
	struct timeval left;

	if (!ares_timeout(resolver->channel, NULL, &left)) {
		alarm_clear(alarms, &resolver->alarm);
		return;
	}
	alarm_set(alarms, &resolver->alarm,
		  vm_now(resolver->vm) + (uint64_t)left.tv_sec * 1000 +
		      (uint64_t)left.tv_usec / 1000 + 1);
}

static void on_alarm(struct alarm *alarm)
{
	struct resolver *resolver = LIST_ENTRY(alarm, struct resolver, alarm);

	ares_process_fd(resolver->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_alarm(resolver);
}

static struct watch *find_watch(struct resolver *resolver, ares_socket_t socket)
{
	for (struct link *link = resolver->watches.next; link != &resolver->watches;
	     link = link->next)
		if (LIST_ENTRY(link, struct watch, all)->socket == socket)
			return LIST_ENTRY(link, struct watch, all);
	return NULL;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct resolver *resolver = watch->resolver;
	ares_socket_t socket = watch->socket;

	if (status < 0)
		events = watch->events; /* c-ares reads the error */
	ares_process_fd(resolver->channel, events & UV_READABLE ? socket : ARES_SOCKET_BAD,
			events & UV_WRITABLE ? socket : ARES_SOCKET_BAD);
	set_alarm(resolver);
	/* libuv stops watching at an error, c-ares may want to go on. */
	if (status < 0 && find_watch(resolver, socket) == watch)
		uv_poll_start(&watch->poll, watch->events, on_poll);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;

	watch->vm->handles--;
	free(watch);
}

static struct watch *make_watch(struct resolver *resolver, ares_socket_t socket)
{
	struct watch *watch = calloc(1, sizeof *watch);

	if (!watch || uv_poll_init(resolver->vm->loop, &watch->poll, socket) < 0) {
		free(watch);
		return NULL; /* c-ares' timeout ends the question */
	}
	watch->vm = resolver->vm;
	watch->resolver = resolver;
	watch->socket = socket;
	watch->poll.data = watch;
	resolver->vm->handles++;
	list_append(&resolver->watches, &watch->all);
	return watch;
}

/* Before c-ares closes a socket it wants neither: then the poll must be gone from the kernel. */
static void on_socket(void *data, ares_socket_t socket, int readable, int writable)
{
	struct resolver *resolver = data;
	struct watch *watch = find_watch(resolver, socket);

	if (!readable && !writable) {
		if (!watch)
			return;
		list_remove(&watch->all);
		vm_close_handle(resolver->vm, (uv_handle_t *)&watch->poll, on_watch_closed);
		return;
	}
	if (!watch)
		watch = make_watch(resolver, socket);
	if (!watch)
		return;
	watch->events = (readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0);
	uv_poll_start(&watch->poll, watch->events, on_poll);
}

/* --- the channel --- */

static int open_channel(struct resolver *resolver)
{
	struct resolver_settings settings;
	char *search[SEARCHES_MAX], dns_only[] = "b";
	struct ares_options options = {0};

	resolver_settings(resolver->vm->daemon->resolver, &settings);
	for (int i = 0; i < settings.search_count; i++)
		search[i] = settings.search[i];
	options.timeout = settings.timeout * 1000;
	options.tries = settings.attempts;
	options.ndots = settings.ndots;
	options.domains = search;
	options.ndomains = settings.search_count;
	options.lookups = dns_only; /* hosts was asked already, and is not there after chroot */
	options.sock_state_cb = on_socket;
	options.sock_state_cb_data = resolver;
	if (ares_init_options(&resolver->channel, &options,
			      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS |
				  ARES_OPT_DOMAINS | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB) !=
	    ARES_SUCCESS)
		return -1;
	if (ares_set_servers_ports_csv(resolver->channel, settings.servers) == ARES_SUCCESS)
		return 0;
	ares_destroy(resolver->channel);
	return -1;
}

static struct resolver *resolver_of(struct vm *vm)
{
	struct resolver *resolver;

	if (vm->resolver)
		return vm->resolver;
	resolver = calloc(1, sizeof *resolver);
	if (!resolver)
		return NULL;
	resolver->vm = vm;
	alarm_init(&vm->alarms, &resolver->alarm, on_alarm);
	list_init(&resolver->watches);
	if (open_channel(resolver) < 0) {
		free(resolver);
		return NULL;
	}
	vm->resolver = resolver;
	return resolver;
}

void lookups_close(struct vm *vm)
{
	struct resolver *resolver = vm->resolver;

	if (!resolver)
		return;
	ares_destroy(resolver->channel); /* tells every question, and closes every socket */
	alarm_clear(&vm->alarms, &resolver->alarm);
	vm->resolver = NULL;
	free(resolver);
}

/* --- a question --- */

static int code_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
	case ARES_EBADNAME:
		return UV_EAI_NONAME;
	case ARES_ENOMEM:
		return UV_EAI_MEMORY;
	case ARES_ECANCELLED:
	case ARES_EDESTRUCTION:
		return UV_EAI_CANCELED;
	default: /* no server has answered, or none could */
		return UV_EAI_AGAIN;
	}
}

static void take_answer(struct lookup *lookup, const struct ares_addrinfo *answer)
{
	const struct ares_addrinfo_node *node;

	for (node = answer->nodes; node && lookup->count < LOOKUP_MAX; node = node->ai_next)
		if (node->ai_addrlen <= sizeof *lookup->found)
			memcpy(&lookup->found[lookup->count++], node->ai_addr, node->ai_addrlen);
}

static void on_answer(void *data, int status, int timeouts, struct ares_addrinfo *answer)
{
	struct lookup *lookup = data;

	(void)timeouts;
	lookup->vm->resolver->asked--;
	lookup->over = true;
	lookup->code = code_of(status);
	if (answer) {
		take_answer(lookup, answer);
		ares_freeaddrinfo(answer);
	}
	if (lookup->code == 0 && lookup->count == 0)
		lookup->code = UV_EAI_NONAME;
	if (lookup->done && lookup->data)
		lookup->done(lookup);
	else if (!lookup->done)
		free(lookup);
}

static void ask(struct lookup *lookup, const char *name, void *data)
{
	struct resolver *resolver = resolver_of(lookup->vm);
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

	if (!resolver || resolver->asked == LOOKUPS_AT_ONCE) {
		lookup->over = true;
		lookup->code = resolver ? UV_EAI_AGAIN : UV_EAI_MEMORY;
		return;
	}
	resolver->asked++;
	/* It may answer at once: data is not set yet, so that nobody is told. */
	ares_getaddrinfo(resolver->channel, name, NULL, &hints, on_answer, lookup);
	lookup->data = data;
	if (!lookup->over)
		set_alarm(resolver);
}

struct lookup *lookup_start(struct vm *vm, const char *name, void (*done)(struct lookup *lookup),
			    void *data)
{
	struct lookup *lookup = calloc(1, sizeof *lookup);

	if (!lookup)
		return NULL;
	lookup->vm = vm;
	lookup->done = done;
	lookup->count = hosts_find(vm->daemon->hosts, name, lookup->found, LOOKUP_MAX);
	lookup->over = lookup->count > 0;
	if (!lookup->over)
		ask(lookup, name, data);
	return lookup;
}

void lookup_cancel(struct lookup *lookup)
{
	if (lookup->over)
		free(lookup);
	else
		lookup->done = NULL;
}

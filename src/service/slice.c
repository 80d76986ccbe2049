#include "service/slice.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/vm.h"
#include "sys/sys.h"

enum { MILLISECOND = 1000000, SECOND = 1000000000 };

/* The one global: what the handler must reach. */
static struct vm *volatile watched;

static int number_of_tick(void)
{
	return SIGRTMIN + 1; /* SIGRTMIN is host/signals.c's */
}

int64_t slice_clock(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND + now.tv_nsec;
}

/* --- the handler: async-signal-safe calls only, and lua_sethook --- */

static void arm(struct slice *slice)
{
	struct itimerspec when = {
	    .it_value = {.tv_sec = slice->period / SECOND, .tv_nsec = slice->period % SECOND}};

	timer_settime(slice->timer, 0, &when, NULL);
}

/* A run is as old as the first tick that has met it, or up to a period older. */
static void look(struct vm *vm)
{
	struct slice *slice = &vm->slice;
	int64_t now = slice_clock();

	if (slice->seen != slice->run) {
		slice->seen = slice->run;
		slice->seen_at = now;
		return;
	}
	if (slice->limit && now - slice->seen_at >= slice->limit && slice->late != slice->run) {
		slice->late_at = now;
		slice->late = slice->run;
	}
	if (slice->abort && now - slice->seen_at >= slice->abort && slice->overdue != slice->run) {
		slice->raised = 0;
		slice->overdue = slice->run;
	}
	/* Again at each tick: the service may have set a hook of its own meanwhile. */
	if (slice_due(slice)) {
		slice->hooks = true;
		slice_hook(vm, !slice->fired);
		slice->fired = false;
	}
}

static void on_tick(int number, siginfo_t *info, void *context)
{
	struct vm *vm = watched;
	int code = errno;

	(void)number;
	(void)context;
	if (!vm || info->si_code != SI_TIMER || !vm->slice.ticking)
		return;
	vm->slice.ticks++;
	if (vm->running > 0) {
		look(vm);
		arm(&vm->slice);
	} else {
		/* Nothing ticks while the loop waits: the next run begins it anew. */
		vm->slice.ticking = false;
		vm->slice.idle = true;
	}
	errno = code;
}

/* --- ticks and turns --- */

void slice_begin(struct vm *vm)
{
	struct slice *slice = &vm->slice;

	slice->idle = false;
	if (slice->turn_began == 0)
		slice->turn_began = uv_now(vm->loop);
	if (slice->ticking)
		return;
	slice->ticking = true;
	arm(slice);
}

static void note(uint64_t *most, uint64_t value)
{
	if (*most < value)
		*most = value;
}

/* The loop's time was taken when its wait ended, in whole milliseconds: so much may be too much. */
static void on_turn(uv_prepare_t *prepare)
{
	struct slice *slice = &((struct vm *)prepare->data)->slice;
	uint64_t began = (slice->turn_began + 1) * 1000, now;

	if (slice->turn_began == 0)
		return;
	now = uv_hrtime() / 1000;
	note(&slice->lag, now > began ? now - began : 0);
	note(&slice->longest, now > began ? now - began : 0);
	slice->turn_began = 0;
	slice->idle = true;
}

uint64_t slice_read(uint64_t *most)
{
	uint64_t value = *most;

	*most = 0;
	return value;
}

/* --- making and taking down --- */

static int64_t period_of(const struct slice *slice)
{
	int64_t least = slice->limit;

	if (least == 0 || (slice->abort && slice->abort < least))
		least = slice->abort;
	return least < 2 * (int64_t)MILLISECOND ? MILLISECOND : (least + 1) / 2;
}

static void make_timer(struct vm *vm)
{
	struct slice *slice = &vm->slice;

	if (slice->has_timer || watched || slice->limit + slice->abort == 0)
		return;
	if (sys_thread_timer(number_of_tick(), &slice->timer) < 0) {
		vm_printf(vm, LEVEL_WARN,
			  "lua.slice and lua.abort have no effect: cannot make their timer: %s",
			  strerror(errno));
		return;
	}
	slice->has_timer = true;
	watched = vm;
}

static void write_abort(struct slice *slice)
{
	FILE *out = fmemopen(slice->abort_text, sizeof slice->abort_text, "w");

	slice->abort_text[0] = '\0';
	if (!out)
		return;
	text_duration(out, slice->abort / MILLISECOND);
	fclose(out);
}

void slice_set(struct vm *vm)
{
	const struct spec *spec = vm->daemon->spec;
	struct slice *slice = &vm->slice;
	bool wanted = spec->lua_slice || spec->lua_abort;

	slice->ticking = true; /* a tick of before finds nothing to do from here on */
	slice->limit = spec->lua_slice * MILLISECOND;
	slice->abort = spec->lua_abort * MILLISECOND;
	slice->period = period_of(slice);
	write_abort(slice);
	make_timer(vm);
	slice->ticking = !wanted || !slice->has_timer;
	slice->idle = true;
}

static void on_closed(uv_handle_t *handle)
{
	struct vm *vm = handle->data;

	vm->handles--;
}

int slice_open(struct vm *vm, struct err *err)
{
	struct slice *slice = &vm->slice;

	if (sys_signal_handle(number_of_tick(), on_tick) < 0)
		return err_sys(err, "cannot handle the timer of lua.slice");
	slice_set(vm);
	uv_prepare_init(vm->loop, &slice->turn);
	slice->turn.data = vm;
	uv_prepare_start(&slice->turn, on_turn);
	uv_unref((uv_handle_t *)&slice->turn);
	vm->handles++;
	return 0;
}

void slice_close(struct vm *vm)
{
	struct slice *slice = &vm->slice;

	if (slice->turn.data)
		vm_close_handle(vm, (uv_handle_t *)&slice->turn, on_closed);
	if (!slice->has_timer)
		return;
	slice->ticking = true;
	watched = NULL; /* a tick that is under way finds nobody */
	timer_delete(slice->timer);
	slice->has_timer = false;
}

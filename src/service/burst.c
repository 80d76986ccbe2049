#include "service/burst.h"

#include <inttypes.h>
#include <stdio.h>

#include "service/vm.h"

static void tell(struct burst *burst)
{
	struct log_field field = {.key = "suppressed", .raw = true};
	char digits[24];

	field.bytes = digits;
	field.length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, burst->suppressed);
	burst->suppressed = 0;
	vm_log(burst->vm, burst->level, burst->message, &field, 1);
}

static void open_window(struct burst *burst)
{
	struct vm *vm = burst->vm;

	alarm_set(&vm->alarms, &burst->alarm, vm_now(vm) + BURST_MS);
}

static void on_alarm(struct alarm *alarm)
{
	struct burst *burst = LIST_ENTRY(alarm, struct burst, alarm);

	if (burst->suppressed == 0)
		return; /* it is over: the next is the first of another */
	open_window(burst);
	tell(burst);
}

void vm_log_burst(struct vm *vm, struct burst *burst, enum log_level level, const char *message,
		  const struct log_field *fields, size_t count)
{
	if (alarm_is_set(&burst->alarm)) {
		burst->suppressed++;
		return;
	}
	*burst = (struct burst){.vm = vm, .level = level, .message = message};
	alarm_init(&vm->alarms, &burst->alarm, on_alarm);
	open_window(burst);
	vm_log(vm, level, message, fields, count);
}

void burst_end(struct burst *burst)
{
	if (!alarm_is_set(&burst->alarm))
		return;
	alarm_clear(&burst->vm->alarms, &burst->alarm);
	if (burst->suppressed > 0)
		tell(burst);
}

#include "service_kit.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Memory that is out, at each place: of Lua by lua.memory, of C by an allocator that says no once.
 * The service may fail; the daemon starts or says why not, stops, and leaks nothing (which a
 * checker of memory sees). */

static const char everything[] =
    "local luvd, net, task = require 'luvd', require 'luvd.net', require 'luvd.task'\n"
    "local fs, json = require 'luvd.fs', require 'luvd.json'\n"
    "local log = luvd.log\n"
    "local parts = {}\n"
    "function parts.tasks()\n"
    "  local channel, permits = task.channel(1), task.semaphore(1)\n"
    "  local group <close> = task.group()\n"
    "  group:spawn(function()\n"
    "    local permit <close> = permits:acquire()\n"
    "    for i = 1, 3 do channel:send { i } end\n"
    "    channel:close()\n"
    "  end)\n"
    "  for value in channel:values() do luvd.sleep(0) end\n"
    "  task.all(function() return 1, 2, 3 end, function() luvd.sleep(0) end)\n"
    "  task.first(function() luvd.sleep(5) end, function() return 1 end)\n"
    "  task.spawn(function(...) return ... end, 1, 2, 3):wait()\n"
    "  local waits = task.spawn(function()\n"
    "    local _ <close> = task.defer(function() log:debug 'deferred' end)\n"
    "    coroutine.wrap(function() luvd.sleep(5) end)()\n"
    "  end)\n"
    "  luvd.sleep(0)\n"
    "  waits:cancel()\n"
    "  pcall(task.spawn(error, { 'a table' }).wait)\n"
    "end\n"
    "function parts.files()\n"
    "  local folder <close> = assert(fs.temporary(nil, { directory = true }))\n"
    "  local path = folder.path .. '/file'\n"
    "  local watch <close> = assert(fs.watch(folder.path, print))\n"
    "  assert(fs.write(path, { 'one\\n', 'two\\n' }))\n"
    "  assert(fs.replace(path, 'one\\ntwo\\nthree'))\n"
    "  local file <close> = assert(fs.open(path))\n"
    "  for line in file:lines() do log:debug(line) end\n"
    "  assert(fs.read(path)) assert(fs.list(folder.path)) assert(fs.stat(path))\n"
    "end\n"
    "function parts.text()\n"
    "  local text = json.encode { list = { 1, 2.5, 'x\\n' }, flag = true }\n"
    "  json.decode(text) json.decode '[[['\n"
    "  log:child({ some = 'more' }):info('line', { text = text, nested = { { 1 } } })\n"
    "end\n"
    "function parts.timers()\n"
    "  local timer <close> = luvd.every('1ms', function() end)\n"
    "  local cron <close> = luvd.cron('* * * * *', print)\n"
    "  luvd.sleep '3ms'\n"
    "end\n"
    "function parts.sockets(daemon)\n"
    "  local own <close> = assert(net.listen('tcp://127.0.0.1:0', { backlog = 8 }))\n"
    "  pcall(net.listen, 'nonsense', { backlog = {} })\n"
    "  net.serve(own, function(conn)\n"
    "    for line in conn:lines() do conn:write { line, '\\n' } end\n"
    "  end)\n"
    "  local datagrams <close> = assert(net.listen { 'udp://127.0.0.1:0', 'udp://*:0' })\n"
    "  net.serve(datagrams, function(socket)\n"
    "    socket:send('x', socket.local_address)\n"
    "    for bytes, peer in socket:packets() do log:debug(bytes .. peer) end\n"
    "  end)\n"
    "  local conn <close> = assert(net.connect(own.address, { timeout = '1s' }))\n"
    "  conn:write 'one\\ntwo\\n'\n"
    "  conn:read_line { timeout = '200ms' } conn:read_exactly(2, { timeout = '200ms' })\n"
    "  conn:read_until('\\n', { timeout = '200ms' })\n"
    "  conn:shutdown() conn:read { timeout = '200ms' }\n"
    "  net.connect('tcp://localhost:1', { timeout = '200ms' })\n"
    "end\n"
    "return { service = {\n"
    "  start = function(daemon)\n"
    "    net.serve(daemon.listeners.web, function(conn)\n"
    "      local line = conn:read_line { timeout = '1s' }\n"
    "      conn:write(json.encode { line = line } .. '\\n')\n"
    "    end)\n"
    "    local failed = {}\n"
    "    for _, name in ipairs { 'tasks', 'files', 'text', 'timers' } do\n"
    "      failed[name] = not pcall(task.timeout, '2s', parts[name], daemon) or nil\n"
    "    end\n"
    "    task.spawn(function()\n"
    "      failed.sockets = not pcall(task.timeout, '2s', parts.sockets, daemon) or nil\n"
    "      log:info('all was tried', failed)\n"
    "    end)\n"
    "  end,\n"
    "  stop = function(daemon) daemon:drain '1s' end } }\n";

/* --- C --- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static long until_no; /* allocations; 0: never */
static bool refuses;  /* all of them */

static bool says_no(void)
{
	return refuses || (until_no > 0 && --until_no == 0);
}

void *__wrap_malloc(size_t size)
{
	return says_no() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return says_no() ? NULL : __real_calloc(count, size);
}

/* Lua's own come from here too. They are asked for again after a collection. */
void *__wrap_realloc(void *block, size_t size)
{
	return says_no() ? NULL : __real_realloc(block, size);
}

/* --- a whole life --- */

static void ask(struct kit *kit)
{
	int fd = kit_connect(kit);

	kit_send(fd, "hello\n");
	kit_expect(kit, fd, NULL);
	close(fd);
}

/* Was everything tried, and nothing of it failed? */
static bool live(size_t limit, long no)
{
	struct kit *kit = kit_create(everything);
	bool all;

	kit_listen(kit);
	kit->daemon.spec->lua_memory = limit;
	until_no = no;
	if (kit_load(kit)) {
		life_start(kit->life);
		kit_wait(kit, &kit->started);
		if (kit->start_ok) {
			ask(kit);
			while (no == 0 && limit == 0 && !kit_logged(kit, "all was tried"))
				uv_run(&kit->loop, UV_RUN_ONCE);
			kit_stop(kit, false);
		}
	}
	until_no = 0;
	all = kit_logged(kit, "all was tried\n");
	kit_destroy(kit);
	return all;
}

static void test_everything_works_with_enough_memory(void **state)
{
	(void)state;
	assert_true(live(0, 0));
}

static void test_any_limit_of_lua_memory_is_survived(void **state)
{
	(void)state;
	for (size_t limit = 64 << 10; limit < 512 << 10; limit += 20 << 10)
		live(limit, 0);
}

static void test_an_allocation_that_fails_is_survived(void **state)
{
	(void)state;
	for (long no = 1; no < 2400; no += 1 + no / 12)
		live(0, no);
}

static bool listen_without(long no)
{
	static const char text[] =
	    INSIDE("local net = require 'luvd.net'\n"
		   "log:info 'ready'\n"
		   "luvd.sleep(0)\n"
		   "for _, where in ipairs { 'tcp://127.0.0.1:0', 'nonsense' } do\n"
		   "  local ok, listener, message = pcall(net.listen, where)\n"
		   "  log:info(tostring(message or listener))\n"
		   "  if ok and listener then listener:close() end\n"
		   "end");
	struct kit *kit = kit_create(text);
	bool out;

	assert_true(kit_load(kit));
	life_start(kit->life);
	kit_wait_log(kit, "ready");
	until_no = no;
	kit_wait(kit, &kit->started);
	until_no = 0;
	assert_true(kit->start_ok);
	out = kit_logged(kit, "memory");
	kit_finish(kit);
	return out;
}

static void test_a_listener_without_memory_is_a_failure_of_the_call(void **state)
{
	int out = 0;

	(void)state;
	for (long no = 1; no < 80; no++)
		out += listen_without(no);
	assert_in_range(out, 8, 40); /* its table, arena, entries, sockets, errors */
}

static void test_datagrams_are_taken_again_after_memory_was_out(void **state)
{
	struct kit *kit =
	    kit_create(INSIDE("local net, calls = require 'luvd.net', 0\n"
			      "local l = assert(net.listen 'udp://127.0.0.1:0')\n"
			      "net.serve(l, function(socket)\n"
			      "  calls = calls + 1\n"
			      "  log:info('call ' .. calls .. ' ' .. l.address)\n"
			      "  if calls == 1 then socket:receive() error 'once' end\n"
			      "  log:info('took ' .. socket:receive())\n"
			      "end)"));
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	kit_start(kit);
	kit_wait_log(kit, "call 1");
	at.sin_port = htons((in_port_t)atoi(strrchr(strstr(kit->log, "udp://127"), ':') + 1));
	sendto(fd, "one", 3, 0, (struct sockaddr *)&at, sizeof at);
	kit_wait_log(kit, "once");
	refuses = true;
	sendto(fd, "two", 3, 0, (struct sockaddr *)&at, sizeof at);
	kit_wait_log(kit, "memory");
	refuses = false;
	kit_wait_log(kit, "took two");
	close(fd);
	kit_finish(kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_everything_works_with_enough_memory),
	    cmocka_unit_test(test_any_limit_of_lua_memory_is_survived),
	    cmocka_unit_test(test_an_allocation_that_fails_is_survived),
	    cmocka_unit_test(test_a_listener_without_memory_is_a_failure_of_the_call),
	    cmocka_unit_test(test_datagrams_are_taken_again_after_memory_was_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

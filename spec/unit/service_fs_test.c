#include "service_kit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "service/fs_block.h"
#include "service/vm.h"

/* A folder of the test's own, which the texts know as dir. */
static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/service_fs_test.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	return system(command); /* NOLINT(cert-env33-c): a constant but for mkdtemp's name */
}

#define HEAD                                                                                       \
	"local luvd, fs = require 'luvd', require 'luvd.fs'\n"                                     \
	"local function same(a, b) if a ~= b then error(('expected %q, got %q')"                   \
	":format(tostring(b), tostring(a)), 2) end end\n"                                          \
	"local function fails(code, ok, message, got)\n"                                           \
	"  same(ok, nil) same(got, code) assert(#message > 0) end\n"                               \
	"local function raises(text, ...)\n"                                                       \
	"  local ok, message = pcall(...)\n"                                                       \
	"  if ok or not message:find(text, 1, true) then error(tostring(message), 2) end end\n"
#define FS(text)                                                                                   \
	HEAD "return { service = { start = function(daemon)\n"                                     \
	     "local log, dir = luvd.log, daemon.config.banner\n" text "\nlog:info 'fine' end } }"

static struct kit *create(const char *text)
{
	struct kit *kit = kit_create(text);

	kit_banner(kit->daemon.spec, folder);
	return kit;
}

static void start(struct kit *kit)
{
	kit_start(kit);
	if (!kit->start_ok)
		print_error("%s\n", kit->start_err.what);
	assert_true(kit->start_ok);
}

/* The text starts, to its end. */
static void passes(const char *text)
{
	struct kit *kit = create(text);

	start(kit);
	assert_true(kit_logged(kit, "INFO fine"));
	kit_finish(kit);
}

/* A declared file: the other end of a pipe for one that takes its time. */
static void declare(struct kit *kit, int fd, char mode)
{
	static char name[] = "series";

	kit->daemon.spec->files = calloc(1, sizeof(struct file));
	kit->daemon.spec->files[0] = (struct file){.name = name, .mode = mode};
	kit->daemon.spec->file_count = 1;
	kit->file_fd = fd;
	kit->daemon.file_fds = &kit->file_fd;
}

static size_t count_descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(list))
		count++;
	closedir(list);
	return count;
}

/* --- paths --- */

static void test_what_is_written_can_be_read_listed_renamed_and_removed(void **state)
{
	(void)state;
	passes(FS("same(fs.write(dir .. '/b', 'one'), true)\n"
		  "same(fs.append(dir .. '/b', { ' two', 3 }), true)\n"
		  "same(fs.read(dir .. '/b'), 'one two3')\n"
		  "same(fs.write(dir .. '/b', 'x'), true) same(fs.read(dir .. '/b'), 'x')\n"
		  "same(fs.append(dir .. '/a', ''), true) same(fs.read(dir .. '/a'), '')\n"
		  "same(table.concat(fs.list(dir), ' '), 'a b')\n"
		  "same(fs.rename(dir .. '/b', dir .. '/c'), true)\n"
		  "same(table.concat(fs.list(dir), ' '), 'a c')\n"
		  "same(fs.remove(dir .. '/a'), true) same(fs.remove(dir .. '/c'), true)\n"
		  "same(#fs.list(dir), 0)"));
}

static void test_stat_tells_what_a_path_is(void **state)
{
	(void)state;
	passes(FS("fs.write(dir .. '/f', 'four', { mode = '0604' })\n"
		  "local stat = fs.stat(dir .. '/f')\n"
		  "same(stat.type, 'file') same(stat.size, 4) same(stat.mode, '0604')\n"
		  "same(stat.links, 1) same(math.type(stat.uid), 'integer')\n"
		  "assert(math.abs(stat.modified - os.time()) < 60)\n"
		  "same(math.type(stat.modified), 'float')\n"
		  "same(fs.stat(dir).type, 'directory') same(fs.stat('/dev/null').type, 'char')\n"
		  "require 'uv'.fs_symlink(dir .. '/f', dir .. '/l')\n"
		  "same(fs.stat(dir .. '/l').type, 'file')\n"
		  "same(fs.stat(dir .. '/l', { follow = false }).type, 'link')"));
}

static void test_failed_work_returns_nil_message_and_code(void **state)
{
	(void)state;
	passes(FS("local gone = dir .. '/gone/x'\n"
		  "fails('ENOENT', fs.read(gone)) fails('ENOENT', fs.write(gone, ''))\n"
		  "fails('ENOENT', fs.append(gone, '')) fails('ENOENT', fs.replace(gone, ''))\n"
		  "fails('ENOENT', fs.list(gone)) fails('ENOENT', fs.stat(gone))\n"
		  "fails('ENOENT', fs.remove(gone)) fails('ENOENT', fs.mkdir(gone))\n"
		  "fails('ENOENT', fs.rename(gone, dir .. '/y')) fails('ENOENT', fs.open(gone))\n"
		  "fails('ENOENT', fs.temporary(gone)) fails('ENOENT', fs.replace('', ''))\n"
		  "fails('ENOENT', fs.remove(gone, { recursive = true }))\n"
		  "fails('ENOENT', fs.watch(gone, print)) fails('EEXIST', fs.mkdir(dir))\n"
		  "fails('EISDIR', fs.read(dir)) fails('EISDIR', fs.write(dir, ''))\n"
		  "fails('EISDIR', fs.replace(dir, '')) fails('ENOTDIR', fs.list '/dev/null')\n"
		  "fails('EISDIR', fs.replace(dir .. '/', ''))\n"
		  "fails('EEXIST', fs.open('/dev/null', 'x'))\n"
		  "fails('ENAMETOOLONG', fs.read(('x'):rep(5000)))"));
}

static void test_wrong_use_raises(void **state)
{
	(void)state;
	passes(FS("raises('a path without NUL bytes', fs.read, 'a\\0b')\n"
		  "raises('a path without NUL bytes', fs.rename, 'a', 'a\\0b')\n"
		  "raises('a path without NUL bytes', fs.watch, 'a\\0b', print)\n"
		  "raises('string expected', fs.stat)\n"
		  "raises('unknown option \"mod\": there are mode, timeout', fs.write, 'a', '', { "
		  "mod = 1 })\n"
		  "raises('unknown option \"?\"', fs.read, 'a', { 1 })\n"
		  "raises('expected an octal string such as \"0640\", got 420', fs.write, 'a', '', "
		  "{ mode = 420 })\n"
		  "raises('expected true or false, got 1', fs.remove, 'a', { recursive = 1 })\n"
		  "raises('a list of strings, item 2 is a table', fs.write, 'a', { 'x', {} })\n"
		  "raises('\"x\" (must be new)', fs.open, 'a', 'rw')\n"
		  "raises('cannot wait inside a function', table.sort, { 1, 2 },\n"
		  "  function() fs.stat '/' end)"));
}

static void test_what_is_longer_than_max_is_not_read(void **state)
{
	(void)state;
	passes(FS("fs.write(dir .. '/f', ('x'):rep(100000))\n"
		  "same(#fs.read(dir .. '/f', { max = 100000 }), 100000)\n"
		  "fails('EFBIG', fs.read(dir .. '/f', { max = 99999 }))\n"
		  "fails('EFBIG', fs.read('/dev/zero', { max = '1MiB' }))\n"
		  "assert(fs.read '/proc/self/status':find 'VmPeak')"));
}

static void test_a_mode_is_that_of_a_new_file_whatever_the_umask(void **state)
{
	mode_t before = umask(077);

	(void)state;
	passes(FS("local function mode(name) return fs.stat(dir .. '/' .. name).mode end\n"
		  "fs.write(dir .. '/a', '') same(mode 'a', '0600')\n"
		  "fs.write(dir .. '/b', '', { mode = '0666' }) same(mode 'b', '0666')\n"
		  "fs.write(dir .. '/b', '', { mode = '0600' }) same(mode 'b', '0666')\n"
		  "fs.append(dir .. '/c', '', { mode = '0640' }) same(mode 'c', '0640')\n"
		  "fs.replace(dir .. '/c', 'new') same(mode 'c', '0640')\n"
		  "fs.replace(dir .. '/c', 'new', { mode = '0644' }) same(mode 'c', '0644')\n"
		  "fs.replace(dir .. '/d', 'new') same(mode 'd', '0600')\n"
		  "fs.mkdir(dir .. '/e') same(mode 'e', '0700')\n"
		  "fs.mkdir(dir .. '/g', { mode = '1777' }) same(mode 'g', '1777')"));
	umask(before);
}

/* --- replace --- */

static void test_replace_puts_the_whole_new_file_in_the_place_of_the_old(void **state)
{
	(void)state;
	passes(FS(
	    "fs.write(dir .. '/old', 'o') require 'uv'.fs_symlink(dir .. '/old', dir .. '/l')\n"
	    "same(fs.replace(dir .. '/f', { 'a', 'b' }), true) same(fs.read(dir .. '/f'), 'ab')\n"
	    "same(fs.replace(dir .. '/f', 'c'), true) same(fs.read(dir .. '/f'), 'c')\n"
	    "same(fs.replace(dir .. '/l', 'new'), true)\n"
	    "same(fs.stat(dir .. '/l', { follow = false }).type, 'file')\n"
	    "same(fs.read(dir .. '/old'), 'o')\n"
	    "same(table.concat(fs.list(dir), ' '), 'f l old')"));
}

/* A limit on the size of files is a disk that is full in the middle. */
static void test_replace_that_fails_keeps_the_old_file_and_leaves_no_other(void **state)
{
	struct rlimit before, small;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	small = (struct rlimit){1000, before.rlim_max};
	setrlimit(RLIMIT_FSIZE, &small);
	passes(FS("same(fs.replace(dir .. '/f', 'old'), true)\n"
		  "fails('EFBIG', fs.replace(dir .. '/f', ('x'):rep(1001)))\n"
		  "same(fs.read(dir .. '/f'), 'old') same(#fs.list(dir), 1)\n"
		  "fails('EFBIG', fs.write(dir .. '/g', ('x'):rep(1001)))\n"
		  "fails('ENOSPC', fs.write('/dev/full', 'x'))\n"
		  "fails('ENOSPC', fs.append('/dev/full', 'x'))"));
	setrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_DFL);
}

/* --- folders --- */

static void test_mkdir_with_parents_makes_what_is_missing(void **state)
{
	(void)state;
	passes(FS("local deep = dir .. '/a/b//c/'\n"
		  "fails('ENOENT', fs.mkdir(deep))\n"
		  "same(fs.mkdir(deep, { parents = true, mode = '0711' }), true)\n"
		  "same(fs.mkdir(deep, { parents = true }), true)\n"
		  "same(fs.stat(deep).mode, '0711') fs.write(dir .. '/f', '')\n"
		  "fails('EEXIST', fs.mkdir(dir .. '/f', { parents = true }))\n"
		  "fails('ENOTDIR', fs.mkdir(dir .. '/f/g', { parents = true }))\n"
		  "same(fs.mkdir('/', { parents = true }), true)"));
}

static void test_remove_takes_a_file_a_link_or_an_empty_folder(void **state)
{
	(void)state;
	passes(FS("local uv = require 'uv'\n"
		  "fs.mkdir(dir .. '/d') fs.write(dir .. '/d/f', '')\n"
		  "uv.fs_symlink(dir .. '/d', dir .. '/l')\n"
		  "fails('ENOTEMPTY', fs.remove(dir .. '/d'))\n"
		  "same(fs.remove(dir .. '/l/'), true) same(fs.read(dir .. '/d/f'), '')\n"
		  "same(fs.remove(dir .. '/d/f'), true) same(fs.remove(dir .. '/d/'), true)\n"
		  "same(#fs.list(dir), 0)"));
}

static void test_recursive_remove_never_follows_a_link(void **state)
{
	(void)state;
	passes(FS("local uv = require 'uv' local all = { recursive = true }\n"
		  "fs.mkdir(dir .. '/keep') fs.write(dir .. '/keep/f', 'kept')\n"
		  "fs.mkdir(dir .. '/d/e/f', { parents = true })\n"
		  "for i = 1, 300 do fs.write(dir .. '/d/e/' .. i, '') end\n"
		  "uv.fs_symlink(dir .. '/keep', dir .. '/d/e/link')\n"
		  "uv.fs_symlink(dir .. '/keep', dir .. '/link')\n"
		  "same(fs.remove(dir .. '/link', all), true)\n"
		  "same(fs.remove(dir .. '/d', all), true)\n"
		  "same(table.concat(fs.list(dir), ' '), 'keep') same(fs.read(dir .. '/keep/f'), "
		  "'kept')\n"
		  "same(fs.remove(dir .. '/keep/f', all), true)\n"
		  "fails('EBUSY', fs.remove('//', all)) fails('EINVAL', fs.remove('.', all))\n"
		  "fails('EINVAL', fs.remove(dir .. '/keep/..', all))\n"
		  "assert(fs.stat(dir .. '/keep'))"));
}

static void test_recursive_remove_has_a_bound_for_depth(void **state)
{
	(void)state;
	passes(FS("local uv, deep = require 'uv', dir .. '/d'\n"
		  "for i = 1, 129 do deep = deep .. '/d' end\n"
		  "same(fs.mkdir(deep, { parents = true }), true)\n"
		  "local ok, message, code = fs.remove(dir .. '/d', { recursive = true })\n"
		  "same(code, 'EOVERFLOW') same(message, 'the folder is deeper than 128 folders')\n"
		  "fs.remove(deep) fs.remove(deep:sub(1, -3))\n"
		  "same(fs.remove(dir .. '/d', { recursive = true }), true)"));
}

/* --- files --- */

static void test_a_file_is_read_by_lines_and_by_blocks(void **state)
{
	(void)state;
	passes(
	    FS("local long = ('y'):rep(70000)\n"
	       "fs.write(dir .. '/f', { 'one\\r\\n', '\\n', long, '\\n', 'last' })\n"
	       "local found = {} local file <close> = fs.open(dir .. '/f')\n"
	       "for line in file:lines { max = '1MiB' } do found[#found + 1] = line end\n"
	       "same(#found, 4) same(found[1], 'one') same(found[2], '') same(found[3], long)\n"
	       "same(found[4], 'last') same(file:failure(), nil) same(file:read(), nil)\n"
	       "same(file:size(), 70011) same(file:stat().type, 'file')\n"
	       "same(#file:read_all(), 70011) same(file:seek(0), true)\n"
	       "same(file:read { max = 4 }, 'one\\r') same(file:read_line(), '')\n"
	       "same(file:read_line(), '')\n"
	       "fails('EMSGSIZE', file:read_line()) same(select(2, file:failure()), 'EMSGSIZE')\n"
	       "local total = 0 for chunk in file:chunks() do total = total + #chunk end\n"
	       "same(total, 70005) fails('EFBIG', file:read_all { max = 9 })\n"
	       "fs.append(dir .. '/f', '!\\n') same(file:read_line(), '!')\n"
	       "same(file.path, dir .. '/f') same(tostring(file), 'luvd.file (' .. dir .. '/f)')"));
}

static void test_a_file_is_for_reading_or_for_writing(void **state)
{
	(void)state;
	passes(
	    FS("local out = fs.open(dir .. '/f', 'x', { mode = '0600' })\n"
	       "same(out:write { 'a', 1 }, true) same(out:write('b', { timeout = '5s' }), true)\n"
	       "same(out:sync(), true) raises('is opened for writing only', out.read, out)\n"
	       "raises('is opened for writing only', out.lines, out)\n"
	       "raises('no field \"reed\"', function() return out.reed end)\n"
	       "same(out:close(), true) fails('ECLOSED', out:write 'x') fails('ECLOSED', "
	       "out:close())\n"
	       "raises('the file is closed', out.lines, fs.open(dir .. '/f') and out)\n"
	       "local more <close> = fs.open(dir .. '/f', 'a') more:write 'c'\n"
	       "local one <close> = fs.open(dir .. '/f', 'r')\n"
	       "raises('is opened for reading only', one.write, one, 'x')\n"
	       "same(one:read(), 'a1bc') local full <close> = fs.open('/dev/full', 'w')\n"
	       "fails('ENOSPC', full:write 'x')\n"
	       "local lines = one:lines() one:close() same(lines(), nil)"));
}

static void test_a_file_that_nobody_closes_is_closed_by_the_collector(void **state)
{
	size_t before = count_descriptors();
	struct kit *kit = create(FS("for i = 1, 50 do assert(fs.open '/dev/null') end\n"
				    "held = fs.open '/dev/null'"));

	(void)state;
	start(kit);
	kit_finish(kit);
	assert_true(count_descriptors() <= before + 4); /* epoll's and the pool's own */
	kit = create(FS("for i = 1, 50 do assert(fs.open '/dev/null') end"));
	before = count_descriptors();
	start(kit);
	kit_finish(kit);
	assert_true(count_descriptors() <= before);
}

/* --- temporary --- */

static void test_a_temporary_is_gone_at_the_end_of_its_block(void **state)
{
	(void)state;
	passes(FS(
	    "local path, inside\n"
	    "do local file <close> = fs.temporary(dir) path = file.path\n"
	    "  same(fs.stat(path).mode, '0600') same(file:write 'x', true)\n"
	    "  same(fs.read(path), 'x') end\n"
	    "fails('ENOENT', fs.stat(path))\n"
	    "do local made <close> = fs.temporary(dir, { directory = true }) inside = made.path\n"
	    "  same(fs.stat(inside).mode, '0700') fs.mkdir(inside .. '/a')\n"
	    "  raises('is a folder', made.write, made, 'x') raises('is a folder', made.size, "
	    "made)\n"
	    "  fs.write(inside .. '/a/f', 'x') end\n"
	    "fails('ENOENT', fs.stat(inside)) same(#fs.list(dir), 0)\n"
	    "local file = fs.temporary() same(file.path:sub(1, 11), '/tmp/.luvd-')\n"
	    "same(file:close(), true) fails('ENOENT', fs.stat(file.path))\n"
	    "pcall(function() local one <close> = fs.temporary(dir) error 'x' end)\n"
	    "same(#fs.list(dir), 0)"));
}

static void test_a_temporary_goes_with_a_task_that_is_cancelled_and_with_the_service(void **state)
{
	struct kit *kit =
	    create(FS("held = fs.temporary(dir) inner = fs.temporary(dir, { directory = true })\n"
		      "fs.write(inner.path .. '/f', 'x')\n"
		      "daemon:spawn(function() local file <close> = fs.temporary(dir)\n"
		      "  log:info 'made' luvd.sleep(1000) end)"));
	DIR *list;
	int count = 0;

	(void)state;
	start(kit);
	kit_wait_log(kit, "INFO made");
	kit_stop(kit, true);
	kit_destroy(kit);
	list = opendir(folder);
	while (readdir(list))
		count++;
	closedir(list);
	assert_int_equal(count, 2);
}

/* --- many tasks --- */

static void test_more_calls_than_the_pool_takes_wait_their_turn(void **state)
{
	struct kit *kit = create(FS("fs.write(dir .. '/f', 'x') local left = 500\n"
				    "for i = 1, 500 do daemon:spawn(function()\n"
				    "  same(fs.read(dir .. '/f'), 'x') left = left - 1\n"
				    "  if left == 0 then log:info 'all' end end) end"));

	(void)state;
	start(kit);
	kit_wait_log(kit, "INFO all");
	kit_finish(kit);
}

static void test_calls_of_cancelled_tasks_are_forgotten_wherever_they_are(void **state)
{
	struct kit *kit = create(FS("for i = 1, 500 do daemon:spawn(function()\n"
				    "  local name = dir .. '/' .. i fs.write(name, 'x')\n"
				    "  fs.replace(name, 'y') fs.open(name) fs.list(dir)\n"
				    "  fs.temporary(dir) fs.read(name) end) end\n"
				    "luvd.sleep '5ms'"));
	size_t before;

	(void)state;
	start(kit);
	before = count_descriptors();
	kit_stop(kit, true);
	kit_destroy(kit);
	assert_true(count_descriptors() <= before);
}

struct peer {
	int fd;
	size_t length;
	char *bytes;
	pthread_t thread;
};

static void *read_slowly(void *data)
{
	struct peer *peer = data;
	ssize_t count;

	while ((count = read(peer->fd, peer->bytes + peer->length, 10000)) > 0)
		peer->length += (size_t)count;
	return NULL;
}

static void test_writes_of_two_tasks_never_mix(void **state)
{
	enum { SIZE = 300000, TASKS = 4 };
	struct kit *kit = create(
	    FS("local left = 4 for i = 1, 4 do daemon:spawn(function()\n"
	       "  same(daemon.files.series:write { (tostring(i)):rep(299999), '\\n' }, true)\n"
	       "  left = left - 1 if left == 0 then log:info 'all' end end) end"));
	struct peer peer = {.bytes = malloc((size_t)(TASKS + 1) * SIZE)};
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	peer.fd = ends[0];
	pthread_create(&peer.thread, NULL, read_slowly, &peer);
	declare(kit, ends[1], 'a');
	start(kit);
	kit_wait_log(kit, "INFO all");
	kit_finish(kit);
	pthread_join(peer.thread, NULL);
	assert_int_equal(peer.length, TASKS * SIZE);
	for (size_t i = 0; i < peer.length; i++)
		assert_true(peer.bytes[i] ==
			    (i % SIZE == SIZE - 1 ? '\n' : peer.bytes[i - i % SIZE]));
	close(ends[0]);
	free(peer.bytes);
}

/* Two sleeps: the spawned task has begun before the second one ends, however slow the machine. */
static void test_a_late_read_has_lost_nothing(void **state)
{
	struct kit *kit =
	    create(FS("local series = daemon.files.series\n"
		      "fails('ETIMEDOUT', series:read { timeout = '10ms' })\n"
		      "fails('ETIMEDOUT', series:read { timeout = 0 })\n"
		      "raises('belongs to the daemon', series.close, series)\n"
		      "daemon:spawn(function() same(series:read_line(), 'late')\n"
		      "  log:info 'came' end)\n"
		      "luvd.sleep '1ms' luvd.sleep '1ms'\n"
		      "raises('another task is already reading', series.read, series)"));
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	declare(kit, ends[0], 'r');
	start(kit);
	assert_int_equal(write(ends[1], "late\n", 5), 5);
	kit_wait_log(kit, "INFO came");
	kit_finish(kit);
	close(ends[1]);
}

/* A thread reads: the loop must run for "end" to be written behind what is late. */
static void test_a_write_that_is_late_says_so_and_the_next_one_waits_behind_it(void **state)
{
	struct kit *kit = create(
	    FS("local series = daemon.files.series\n"
	       "fails('ETIMEDOUT', series:write(('x'):rep(1e6), { timeout = '10ms' }))\n"
	       "fails('ETIMEDOUT', series:write('never', { timeout = '10ms' }))\n"
	       "daemon:spawn(function() same(series:write 'end', true) log:info 'all' end)"));
	struct peer peer = {.bytes = malloc(2000000)};
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	declare(kit, ends[1], 'a');
	start(kit);
	peer.fd = ends[0];
	pthread_create(&peer.thread, NULL, read_slowly, &peer);
	kit_wait_log(kit, "INFO all");
	kit_finish(kit);
	pthread_join(peer.thread, NULL);
	assert_int_equal(peer.length, 1000003);
	assert_memory_equal(peer.bytes + 1000000, "end", 3);
	close(ends[0]);
	free(peer.bytes);
}

static void test_a_block_that_comes_after_the_end_of_its_task_and_file_is_freed(void **state)
{
	struct kit *kit = create(FS("daemon:spawn(function() daemon.files.series:read() end)"));
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	declare(kit, ends[0], 'r');
	start(kit);
	uv_run(&kit->loop, UV_RUN_NOWAIT);
	kit_stop(kit, true);
	assert_int_equal(write(ends[1], "x", 1), 1);
	kit_destroy(kit);
	close(ends[1]);
}

static void test_calls_wait_in_the_services_own_coroutines_too(void **state)
{
	(void)state;
	passes(FS(
	    "fs.write(dir .. '/f', 'a\\nb\\n')\n"
	    "local lines = coroutine.wrap(function()\n"
	    "  local file <close> = fs.open(dir .. '/f')\n"
	    "  for line in file:lines() do coroutine.yield(line .. fs.stat(dir .. '/f').size) end "
	    "end)\n"
	    "same(lines(), 'a4') same(lines(), 'b4') same(lines(), nil)\n"
	    "local found = {} for _, name in ipairs { 'x', 'y' } do\n"
	    "  pcall(function() found[#found + 1] = fs.write(dir .. '/' .. name, name) end) end\n"
	    "same(#found, 2)"));
}

/* --- for C --- */

struct blocks {
	struct vm *vm;
	struct fs_lane lane;
	int fd, result;
	size_t total, order[2], count;
};

static void on_bytes(struct fs_request *request)
{
	struct fs_block *block = (struct fs_block *)request;
	struct blocks *blocks = block->data;

	blocks->total += (size_t)request->result;
	blocks->order[blocks->count++] = (size_t)block->offset;
	fs_request_drop(request);
}

static void ask_block(struct blocks *blocks, int64_t offset)
{
	struct fs_block *block = fs_block_create(blocks->fd, offset, FS_BLOCK_SIZE, blocks);

	block->request.done = on_bytes;
	block->request.lane = &blocks->lane;
	fs_request_submit(blocks->vm, &block->request);
}

static void on_opened(struct fs_request *request)
{
	struct fs_opening *opening = (struct fs_opening *)request;
	struct blocks *blocks = opening->data;

	blocks->result = request->result;
	blocks->total = (size_t)opening->stat.st_size;
	if (request->result == 0) {
		blocks->fd = opening->fd;
		opening->fd = -1;
	}
	fs_request_drop(request);
}

static void open_as(struct blocks *blocks, const char *path, bool drop)
{
	struct fs_opening *opening = fs_opening_create(path, blocks);

	opening->request.done = on_opened;
	fs_request_submit(blocks->vm, &opening->request);
	if (drop)
		fs_request_drop(&opening->request);
	uv_run(blocks->vm->loop, UV_RUN_DEFAULT);
}

static void test_code_in_c_opens_files_and_reads_blocks_in_order(void **state)
{
	struct vm vm = {0};
	struct blocks blocks = {.vm = &vm, .fd = -1, .result = 1};
	char path[96];
	uv_loop_t loop;
	int fd;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	vm.loop = &loop;
	fs_requests_init(&vm);
	fs_lane_init(&blocks.lane);
	snprintf(path, sizeof path, "%s/file", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, FS_BLOCK_SIZE + 5), 0);
	close(fd);

	open_as(&blocks, "/dev/null", false);
	assert_int_equal(blocks.result, UV_EINVAL);
	open_as(&blocks, "/nonexistent", false);
	assert_int_equal(blocks.result, UV_ENOENT);
	open_as(&blocks, path, true);
	assert_int_equal(blocks.fd, -1);
	open_as(&blocks, path, false);
	assert_int_equal(blocks.result, 0);
	assert_int_equal(blocks.total, FS_BLOCK_SIZE + 5);

	blocks.total = 0;
	ask_block(&blocks, 0);
	ask_block(&blocks, FS_BLOCK_SIZE);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_int_equal(blocks.total, FS_BLOCK_SIZE + 5);
	assert_int_equal(blocks.order[0], 0);
	assert_int_equal(blocks.order[1], FS_BLOCK_SIZE);
	assert_int_equal(vm.fs.pending, 0);
	close(blocks.fd);
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* --- watch --- */

static void test_a_watcher_survives_that_its_file_is_replaced(void **state)
{
	struct kit *kit = create(FS("local count, path = 0, dir .. '/f'\n"
				    "fs.write(path, 'before')\n"
				    "fs.watch(path, function(changed)\n"
				    "  same(changed, path) local text = fs.read(path)\n"
				    "  if text ~= tostring(count) then return end\n"
				    "  log:info('saw ' .. text) count = count + 1\n"
				    "  fs.replace(path, tostring(count)) end)\n"
				    "fs.replace(path, '0')"));

	(void)state;
	start(kit);
	kit_wait_log(kit, "INFO saw 3");
	kit_finish(kit);
}

static void test_a_watcher_hears_of_its_file_only_and_a_folders_of_all_in_it(void **state)
{
	struct kit *kit =
	    create(FS("local mine = fs.watch(dir .. '/mine', function() log:info 'wrong' end)\n"
		      "local watcher watcher = fs.watch(dir, function(path)\n"
		      "  same(path, dir) log:info 'folder' watcher:close() watcher:close() end)\n"
		      "fs.write(dir .. '/other', 'x')"));

	(void)state;
	start(kit);
	kit_wait_log(kit, "INFO folder");
	kit_stop(kit, false);
	assert_false(kit_logged(kit, "wrong"));
	kit_destroy(kit);
}

static void test_calls_of_a_watcher_never_overlap_and_go_on_after_an_error(void **state)
{
	struct kit *kit =
	    create(FS("local inside, calls, path = 0, 0, dir .. '/f'\n"
		      "fs.watch(path, function()\n"
		      "  inside, calls = inside + 1, calls + 1 same(inside, 1)\n"
		      "  local leave <close> = setmetatable({}, { __close = function() inside = "
		      "inside - 1 end })\n"
		      "  fs.append(path, 'x') luvd.sleep '80ms'\n"
		      "  log:info('call ' .. calls) if calls == 1 then error 'once' end end)\n"
		      "fs.write(path, 'x')"));

	(void)state;
	start(kit);
	kit_wait_log(kit, "INFO call 3");
	assert_true(kit_logged(kit, "once\nstack traceback"));
	assert_false(kit_logged(kit, "expected"));
	kit_finish(kit);
}

static void test_what_changed_before_the_service_was_ready_is_told_then(void **state)
{
	struct kit *kit = create(
	    FS("local ready = false\n"
	       "fs.watch(dir .. '/f', function() log:info(ready and 'ready' or 'early') end)\n"
	       "fs.write(dir .. '/f', 'x') luvd.sleep '100ms' ready = true"));

	(void)state;
	start(kit);
	kit_wait_log(kit, "INFO ready");
	assert_false(kit_logged(kit, "early"));
	kit_finish(kit);
}

static void test_watchers_are_closed_when_stop_begins(void **state)
{
	struct kit *kit = create(
	    HEAD
	    "local dir\nreturn { service = { start = function(daemon)\n"
	    "dir = daemon.config.banner fs.watch(dir, function() luvd.log:info 'told' end) end,\n"
	    "stop = function() fs.write(dir .. '/f', 'x') luvd.sleep '100ms'\n"
	    "  same(fs.read(dir .. '/f'), 'x')\n"
	    "  raises('nothing can be watched', fs.watch, dir, print) luvd.log:info 'over' end } "
	    "}");

	(void)state;
	start(kit);
	kit_finish(kit);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_is_written_can_be_read_listed_renamed_and_removed),
	    TEST(stat_tells_what_a_path_is),
	    TEST(failed_work_returns_nil_message_and_code),
	    TEST(wrong_use_raises),
	    TEST(what_is_longer_than_max_is_not_read),
	    TEST(a_mode_is_that_of_a_new_file_whatever_the_umask),
	    TEST(replace_puts_the_whole_new_file_in_the_place_of_the_old),
	    TEST(replace_that_fails_keeps_the_old_file_and_leaves_no_other),
	    TEST(mkdir_with_parents_makes_what_is_missing),
	    TEST(remove_takes_a_file_a_link_or_an_empty_folder),
	    TEST(recursive_remove_never_follows_a_link),
	    TEST(recursive_remove_has_a_bound_for_depth),
	    TEST(a_file_is_read_by_lines_and_by_blocks),
	    TEST(a_file_is_for_reading_or_for_writing),
	    TEST(a_file_that_nobody_closes_is_closed_by_the_collector),
	    TEST(a_temporary_is_gone_at_the_end_of_its_block),
	    TEST(a_temporary_goes_with_a_task_that_is_cancelled_and_with_the_service),
	    TEST(more_calls_than_the_pool_takes_wait_their_turn),
	    TEST(calls_of_cancelled_tasks_are_forgotten_wherever_they_are),
	    TEST(writes_of_two_tasks_never_mix),
	    TEST(a_late_read_has_lost_nothing),
	    TEST(a_write_that_is_late_says_so_and_the_next_one_waits_behind_it),
	    TEST(a_block_that_comes_after_the_end_of_its_task_and_file_is_freed),
	    TEST(calls_wait_in_the_services_own_coroutines_too),
	    TEST(code_in_c_opens_files_and_reads_blocks_in_order),
	    TEST(a_watcher_survives_that_its_file_is_replaced),
	    TEST(a_watcher_hears_of_its_file_only_and_a_folders_of_all_in_it),
	    TEST(calls_of_a_watcher_never_overlap_and_go_on_after_an_error),
	    TEST(what_changed_before_the_service_was_ready_is_told_then),
	    TEST(watchers_are_closed_when_stop_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "service_kit.h"

/* A Lua text that must not raise, with the module and a few helpers. */
#define RESP(text)                                                                                 \
	kit_assert_logs(                                                                           \
	    INSIDE("local resp = require 'luvd.resp'\n"                                            \
		   "local null = resp.null\n"                                                      \
		   "local function equal(want, got)\n"                                             \
		   "  if want ~= got or math.type(want) ~= math.type(got) then\n"                  \
		   "    error(('want %s, got %s'):format(want, got), 2) end end\n"                 \
		   "local function request(want, bytes, ...)\n"                                    \
		   "  local count, at, list = resp.decode_request(bytes, 1, nil, ...)\n"           \
		   "  equal(#bytes + 1, at)\n"                                                     \
		   "  equal(want, table.concat(list, '|', 1, count)) end\n"                        \
		   "local function bad_request(message, bytes, ...)\n"                             \
		   "  local count, why, code = resp.decode_request(bytes, 1, nil, ...)\n"          \
		   "  equal(nil, count) equal(message, why) equal('ERESP', code) end\n"            \
		   "local function reply(want, bytes)\n"                                           \
		   "  local value, at = resp.decode(bytes)\n"                                      \
		   "  equal(#bytes + 1, at) equal(want, value) end\n"                              \
		   "local function bad_reply(message, bytes, options)\n"                           \
		   "  local value, why, code = resp.decode(bytes, 1, options)\n"                   \
		   "  equal(nil, value) equal(message, why) equal('ERESP', code) end\n"            \
		   "local function raises(message, ...)\n"                                         \
		   "  local ok, why = pcall(...)\n"                                                \
		   "  equal(false, ok)\n"                                                          \
		   "  equal(message, (why:gsub('^%S+:%d+: ', ''))) end\n" text                     \
		   "\nlog:info 'fine'"),                                                           \
	    "INFO fine")

/* --- requests --- */

static void test_reads_requests_of_clients_and_of_people(void **state)
{
	(void)state;
	RESP(
	    "request('GET|k', '*2\\r\\n$3\\r\\nGET\\r\\n$1\\r\\nk\\r\\n')\n"
	    "request('SET||a\\0\\r\\nb', '*3\\r\\n$3\\r\\nSET\\r\\n$0\\r\\n\\r\\n$5\\r\\na\\0\\r\\n"
	    "b\\r\\n')\n"
	    "request('GET|k', 'GET k\\r\\n') request('GET|k', ' GET \\t k \\n')\n"
	    "request('', '\\r\\n') request('', '*0\\r\\n') request('', '*-1\\r\\n')\n"
	    "for _, length in ipairs { 9, 10, 11, 99, 100, 101, 524288 } do\n"
	    "  local value = ('v'):rep(length)\n"
	    "  request('ECHO|' .. value, resp.command('ECHO', value)) end");
}

static void test_reads_one_request_after_the_other_into_one_table(void **state)
{
	(void)state;
	RESP("local bytes = resp.command('SET', 'k', 'v') .. 'PING\\r\\n' .. '*1\\r\\n$'\n"
	     "local list = {}\n"
	     "local count, at, same = resp.decode_request(bytes, 1, list)\n"
	     "equal(3, count) equal(list, same) equal('v', list[3])\n"
	     "count, at = resp.decode_request(bytes, at, list)\n"
	     "equal(1, count) equal('PING', list[1]) equal('k', list[2])\n"
	     "count, same = resp.decode_request(bytes, at, list)\n"
	     "equal(0, count) equal(at, same)\n"
	     "count, at = resp.decode_request(bytes, #bytes + 1, list)\n"
	     "equal(0, count) equal(#bytes + 1, at)");
}

static void test_a_request_that_is_not_whole_is_none_yet(void **state)
{
	(void)state;
	RESP("for _, bytes in ipairs { resp.command('SET', 'key', ('v'):rep(120)), 'GET k\\r\\n',\n"
	     "    '*-1\\r\\n', '\\r\\n' } do\n"
	     "  for length = 0, #bytes - 1 do\n"
	     "    local count, at = resp.decode_request(bytes:sub(1, length))\n"
	     "    equal(0, count) equal(1, at) end end");
}

static void test_says_how_many_bytes_of_a_request_are_missing_at_least(void **state)
{
	(void)state;
	RESP("local function missing(want, bytes)\n"
	     "  equal(want, (select(4, resp.decode_request(bytes)))) end\n"
	     "missing(1, '') missing(1, 'GET') missing(1, '*') missing(1, '*2\\r\\n')\n"
	     "missing(1, '*2\\r\\n$3\\r\\nGET\\r\\n') missing(5, '*1\\r\\n$3\\r\\n')\n"
	     "missing(4, '*1\\r\\n$3\\r\\nG') missing(2, '*1\\r\\n$3\\r\\nGET')\n"
	     "missing(1, '*1\\r\\n$3\\r\\nGET\\r') missing(nil, 'GET\\n')\n"
	     "missing(1, '*2\\r\\n$3\\r\\nGET\\r\\n$1')");
}

static void test_says_what_is_wrong_with_a_request(void **state)
{
	(void)state;
	RESP("for _, bytes in ipairs { '*x', '*\\r', '*-2\\r\\n', '*1025\\r\\n', '*1\\n', "
	     "'*1\\rx',\n"
	     "    '*01', '*-0\\r', '* 1', '*0x1', '*1e1', '*99999999999999999999' } do\n"
	     "  bad_request('invalid multibulk length', bytes) end\n"
	     "for _, bytes in ipairs { '$-1\\r\\n', '$x', '$1048577\\r\\n', '$00', '$\\r', '$+1' } "
	     "do\n"
	     "  bad_request('invalid bulk length', '*1\\r\\n' .. bytes) end\n"
	     "bad_request(\"expected '$'\", '*1\\r\\nPING')\n"
	     "bad_request('expected CRLF behind a value', '*1\\r\\n$4\\r\\nPINGS')\n"
	     "bad_request('expected CRLF behind a value', '*1\\r\\n$4\\r\\nPING\\rS')");
}

static void test_requests_are_bounded(void **state)
{
	(void)state;
	RESP("request('a|b', 'a b\\n', 3, 2) request('abc', '*1\\r\\n$3\\r\\nabc\\r\\n', '3B', 1)\n"
	     "bad_request('invalid bulk length', '*1\\r\\n$4\\r\\n', 3)\n"
	     "bad_request('invalid multibulk length', '*3\\r\\n', 3, 2)\n"
	     "bad_request('too many arguments', 'a b c\\n', 9, 2)\n"
	     "bad_request('too big inline request', 'abcd', 3)\n"
	     "bad_request('too big inline request', 'abcd\\n', 3)\n"
	     "equal(0, (resp.decode_request('abc', 1, nil, 3)))");
}

/* --- replies --- */

static void test_reads_every_kind_of_reply(void **state)
{
	(void)state;
	RESP("reply('OK', '+OK\\r\\n') reply('', '+\\r\\n') reply(null, '$-1\\r\\n')\n"
	     "reply(null, '*-1\\r\\n') reply('', '$0\\r\\n\\r\\n') reply('a\\r\\nb', "
	     "'$4\\r\\na\\r\\nb\\r\\n')\n"
	     "reply(0, ':0\\r\\n') reply(12, ':+12\\r\\n')\n"
	     "reply(math.maxinteger, ':9223372036854775807\\r\\n')\n"
	     "reply(math.mininteger, ':-9223372036854775808\\r\\n')\n"
	     "local list, at = resp.decode '*3\\r\\n:1\\r\\n*1\\r\\n$1\\r\\nx\\r\\n$-1\\r\\n'\n"
	     "equal(25, at) equal(3, #list) equal(1, list[1]) equal('x', list[2][1]) equal(null, "
	     "list[3])\n"
	     "equal(0, #resp.decode '*0\\r\\n')");
}

static void test_an_error_is_a_value_of_its_own(void **state)
{
	(void)state;
	RESP(
	    "local problem, at = resp.decode '-ERR no\\r\\n+OK\\r\\n'\n"
	    "equal(true, resp.is_error(problem)) equal('ERR no', tostring(problem)) equal(10, at)\n"
	    "equal('OK', (resp.decode('-ERR no\\r\\n+OK\\r\\n', at)))\n"
	    "for _, value in ipairs { 'ERR no', null, resp.ok, 1, {}, io.stdout } do\n"
	    "  equal(false, resp.is_error(value)) end\n"
	    "equal(false, resp.is_error())\n"
	    "equal('null', tostring(null)) equal('OK', tostring(resp.ok))");
}

static void test_a_reply_that_is_not_whole_is_nothing_yet(void **state)
{
	(void)state;
	RESP(
	    "local bytes = '*5\\r\\n:12\\r\\n*2\\r\\n+a\\r\\n$-1\\r\\n$11\\r\\nhello world\\r\\n'\n"
	    "  .. '-ERR x\\r\\n*-1\\r\\n'\n"
	    "for length = 0, #bytes - 1 do\n"
	    "  equal(0, select('#', resp.decode(bytes:sub(1, length))) - 1)\n"
	    "  equal(nil, (resp.decode(bytes:sub(1, length)))) end\n"
	    "equal(5, #resp.decode(bytes))");
}

static void test_says_what_is_wrong_with_a_reply(void **state)
{
	(void)state;
	RESP("bad_reply(\"expected '+', '-', ':', '$' or '*'\", 'OK\\r\\n')\n"
	     "bad_reply('a bare line end', '+a\\rb') bad_reply('a bare line end', '-a\\nb\\r\\n')\n"
	     "for _, text in ipairs { '', 'x', '1.5', '01', '-0', '--1', '+-1', "
	     "'9223372036854775808',\n"
	     "    '-9223372036854775809', '1 ' } do\n"
	     "  bad_reply('invalid integer', ':' .. text .. '\\r\\n') end\n"
	     "bad_reply('invalid bulk length', '$-2\\r\\n')\n"
	     "bad_reply('invalid multibulk length', '*-2\\r\\n')\n"
	     "bad_reply('expected CRLF behind a value', '$1\\r\\nxy')");
}

static void test_replies_are_bounded(void **state)
{
	(void)state;
	RESP("bad_reply('nested deeper than 64', ('*1\\r\\n'):rep(65))\n"
	     "equal(nil, (resp.decode(('*1\\r\\n'):rep(64))))\n"
	     "bad_reply('nested deeper than 2', ('*1\\r\\n'):rep(3), { depth = 2 })\n"
	     "local list = resp.decode(('*1\\r\\n'):rep(999) .. '*0\\r\\n', 1, { depth = 1000 })\n"
	     "for _ = 1, 999 do list = list[1] end\n"
	     "equal(0, #list)\n"
	     "bad_reply('invalid bulk length', '$67108865\\r\\n')\n"
	     "bad_reply('invalid bulk length', '$11\\r\\n', { max = 10 })\n"
	     "bad_reply('invalid multibulk length', '*4\\r\\n', { max = 10 })\n"
	     "bad_reply('longer than 4 bytes', '+abcd\\r\\n', { max = 4 })\n"
	     "bad_reply('longer than 4 bytes', '+abcd', { max = 4 })\n"
	     "equal('a', (resp.decode('+a\\r\\n', 1, { max = '4B' })))\n"
	     "equal(nil, (resp.decode('*1000000\\r\\n')))");
}

/* --- encoding --- */

static void test_writes_every_kind_of_reply(void **state)
{
	(void)state;
	RESP(
	    "local encode = resp.encode\n"
	    "equal('$1\\r\\nx\\r\\n', encode 'x') equal('$0\\r\\n\\r\\n', encode '')\n"
	    "equal('$3\\r\\na\\0\\n\\r\\n', encode 'a\\0\\n') equal(':-7\\r\\n', encode(-7))\n"
	    "equal(':3\\r\\n', encode(3.0)) equal(':-9223372036854775808\\r\\n', "
	    "encode(math.mininteger))\n"
	    "equal('$-1\\r\\n', encode(null)) equal('$-1\\r\\n', encode(nil))\n"
	    "equal('+OK\\r\\n', encode(resp.ok)) equal('+PONG\\r\\n', encode(resp.status "
	    "'PONG'))\n"
	    "equal('-ERR a  b\\r\\n', encode(resp.error 'ERR a\\r\\nb'))\n"
	    "equal('*0\\r\\n', encode {}) equal('*2\\r\\n:1\\r\\n*1\\r\\n$-1\\r\\n', encode { 1, { "
	    "null } })\n"
	    "local long = ('v'):rep(100000)\n"
	    "equal('*2\\r\\n$100000\\r\\n' .. long .. '\\r\\n:1\\r\\n', encode { long, 1 })");
}

static void test_writes_many_replies_at_once(void **state)
{
	(void)state;
	RESP("equal('', resp.encode_all {})\n"
	     "equal('+OK\\r\\n:1\\r\\n', resp.encode_all { resp.ok, 1 })\n"
	     "equal(':1\\r\\n$-1\\r\\n', resp.encode_all({ 1, nil, 3 }, 2))\n"
	     "local list, want = {}, {}\n"
	     "for i = 1, 3000 do list[i] = ('x'):rep(i) want[i] = resp.encode(list[i]) end\n"
	     "equal(table.concat(want), resp.encode_all(list))");
}

static void test_writes_commands(void **state)
{
	(void)state;
	RESP(
	    "equal('*3\\r\\n$3\\r\\nSET\\r\\n$1\\r\\nk\\r\\n$2\\r\\n12\\r\\n', resp.command('SET', "
	    "'k', 12))\n"
	    "local many = {}\n"
	    "for i = 1, 500 do many[i] = 'a' .. i end\n"
	    "request(table.concat(many, '|'), resp.command(table.unpack(many)))");
}

static void test_wrong_use_raises(void **state)
{
	(void)state;
	RESP("raises('cannot encode a function', resp.encode, print)\n"
	     "raises('cannot encode a boolean', resp.encode, { true })\n"
	     "raises('cannot encode a userdata', resp.encode, io.stdout)\n"
	     "raises('cannot encode 1.5: integers only', resp.encode, 1.5)\n"
	     "local cycle = {}\n"
	     "cycle[1] = cycle\n"
	     "raises('cannot encode tables nested deeper than 64', resp.encode, cycle)\n"
	     "raises(\"bad argument #2 to 'luvd.resp.command' (string expected, got nil)\", "
	     "resp.command, "
	     "'GET', "
	     "nil)\n"
	     "raises(\"bad argument #1 to 'luvd.resp.command' (string expected, got no value)\", "
	     "resp.command)\n"
	     "raises('unknown option \"size\": there are depth and max', resp.decode, '', 1, { "
	     "size = 1 "
	     "})\n"
	     "raises('option depth: expected a whole number from 1 to 1000, got 1001', "
	     "resp.decode, '', "
	     "1,\n"
	     "  { depth = 1001 })\n"
	     "raises('option max must be at least one byte', resp.decode, '', 1, { max = 0 })\n"
	     "for _, at in ipairs { 0, 3, -1 } do\n"
	     "  equal(false, (pcall(resp.decode, 'x', at)))\n"
	     "  equal(false, (pcall(resp.decode_request, 'x', at))) end\n"
	     "for _, wrong in ipairs { 0, -1, 1.5, 'x', {} } do\n"
	     "  equal(false, (pcall(resp.decode_request, 'x', 1, nil, wrong)))\n"
	     "  equal(false, (pcall(resp.decode_request, 'x', 1, nil, 1, wrong))) end\n"
	     "equal(false, (pcall(resp.decode_request, 'x', 1, 7)))\n"
	     "equal(false, (pcall(resp.encode))) equal(false, (pcall(resp.encode_all, {}, -1)))");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads_requests_of_clients_and_of_people),
	    cmocka_unit_test(test_reads_one_request_after_the_other_into_one_table),
	    cmocka_unit_test(test_a_request_that_is_not_whole_is_none_yet),
	    cmocka_unit_test(test_says_how_many_bytes_of_a_request_are_missing_at_least),
	    cmocka_unit_test(test_says_what_is_wrong_with_a_request),
	    cmocka_unit_test(test_requests_are_bounded),
	    cmocka_unit_test(test_reads_every_kind_of_reply),
	    cmocka_unit_test(test_an_error_is_a_value_of_its_own),
	    cmocka_unit_test(test_a_reply_that_is_not_whole_is_nothing_yet),
	    cmocka_unit_test(test_says_what_is_wrong_with_a_reply),
	    cmocka_unit_test(test_replies_are_bounded),
	    cmocka_unit_test(test_writes_every_kind_of_reply),
	    cmocka_unit_test(test_writes_many_replies_at_once),
	    cmocka_unit_test(test_writes_commands),
	    cmocka_unit_test(test_wrong_use_raises),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

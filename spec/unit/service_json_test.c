#include "service_kit.h"

#include <lauxlib.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "service/json.h"
#include "service/json_number.h"

/* A Lua text that must not raise, with the module and a few helpers. */
#define JSON(text)                                                                                 \
	kit_assert_logs(                                                                           \
	    INSIDE("local json = require 'luvd.json'\n"                                            \
		   "local encode, decode, null = json.encode, json.decode, json.null\n"            \
		   "local function equal(want, got)\n"                                             \
		   "  if want ~= got or math.type(want) ~= math.type(got) then\n"                  \
		   "    error(('want %s, got %s'):format(want, got), 2) end end\n"                 \
		   "local function wrong(text, message, options)\n"                                \
		   "  local value, why, code = decode(text, options)\n"                            \
		   "  equal(nil, value) equal(message, why) equal('EJSON', code) end\n"            \
		   "local function raises(message, ...)\n"                                         \
		   "  local ok, why = pcall(...)\n"                                                \
		   "  equal(false, ok)\n"                                                          \
		   "  equal(message, (why:gsub('^%S+:%d+: ', ''))) end\n" text                     \
		   "\nlog:info 'fine'"),                                                           \
	    "INFO fine")

/* --- decoding --- */

static void test_decodes_every_kind_of_value(void **state)
{
	(void)state;
	JSON("local t = decode ' {\"a\" : [1, 2.5, \"x\", true, false], \"b\":{}, "
	     "\"\":\"\"}\\r\\n\\t'\n"
	     "equal(1, t.a[1]) equal(2.5, t.a[2]) equal('x', t.a[3])\n"
	     "equal(true, t.a[4]) equal(false, t.a[5]) equal(5, #t.a)\n"
	     "equal(nil, next(t.b)) equal('', t[''])\n"
	     "equal('text', decode '\"text\"') equal(7, decode '7') equal(true, decode 'true')");
}

static void test_integers_are_exact_up_to_64_bits_and_floats_beyond(void **state)
{
	(void)state;
	JSON("equal(9223372036854775807, decode '9223372036854775807')\n"
	     "equal(math.mininteger, decode '-9223372036854775808')\n"
	     "equal(9007199254740993, decode '9007199254740993')\n"
	     "equal(2.0 ^ 63, decode '9223372036854775808')\n"
	     "equal(-9223372036854777856.0, decode '-9223372036854777856')\n"
	     "equal(18446744073709551616.0, decode '18446744073709551616')\n"
	     "equal(1e25, decode '10000000000000000000000000')\n"
	     "equal(0, decode '0') equal('-0.0', tostring(decode '-0'))");
}

static void test_a_fraction_or_an_exponent_makes_a_float_that_is_rounded_right(void **state)
{
	(void)state;
	JSON("equal(3.0, decode '3.0') equal(1000.0, decode '1e3') equal(0.1, decode '0.1')\n"
	     "equal(-2.5e-8, decode '-2.5E-8') equal(5e-324, decode '5e-324')\n"
	     "equal(1.7976931348623157e308, decode '1.7976931348623157e+308')\n"
	     "equal(0.3, decode '0.3000000000000000000000000000000000000000')\n"
	     "equal(2.2250738585072011e-308, decode '2.2250738585072011e-308')\n"
	     "equal(9007199254740992.0, decode '9007199254740992.99')\n"
	     "equal(0.0, decode '1e-999') equal(1.0, decode(('0.' .. ('0'):rep(900) .. '1e901')))");
}

static void test_null_is_absent_in_an_object_and_a_value_elsewhere(void **state)
{
	(void)state;
	JSON("local t = decode '{\"a\":null,\"b\":[1,null,3],\"c\":1,\"c\":null}'\n"
	     "equal(nil, t.a) equal(nil, t.c) equal(null, t.b[2]) equal(3, #t.b)\n"
	     "equal(null, decode 'null') equal('null', tostring(null))\n"
	     "t = decode('{\"a\":null,\"b\":[null]}', { null = null })\n"
	     "equal(null, t.a) equal(null, t.b[1])\n"
	     "t = decode('{\"a\":null,\"b\":[null]}', { null = false })\n"
	     "equal(false, t.a) equal(false, t.b[1])");
}

static void test_escapes_become_utf_8(void **state)
{
	(void)state;
	JSON("equal('\"\\\\/\\b\\f\\n\\r\\t', decode [[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]])\n"
	     "equal('A\\u{e9}\\u{20ac}\\u{1F600}!', decode "
	     "[[\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00!\"]])\n"
	     "equal('a\\0b', decode [[\"a\\u0000b\"]])\n"
	     "equal(('x\\n'):rep(5000), decode('\"' .. ([[x\\n]]):rep(5000) .. '\"'))\n"
	     "equal('gr\\u{fc}n \\u{10FFFF}', decode '\"gr\\u{fc}n \\u{10FFFF}\"')\n"
	     "equal('v', decode([[{\"\\u006b\":\"v\"}]]).k)");
}

static void test_of_members_with_one_name_the_last_counts(void **state)
{
	(void)state;
	JSON("equal(3, decode('{\"a\":1,\"b\":2,\"a\":3}').a)\n"
	     "local many = {}\n"
	     "for i = 1, 100 do many[i] = ('\"a\":%d'):format(i) end\n"
	     "equal(100, decode('{' .. table.concat(many, ',') .. '}').a)");
}

static void test_arrays_and_objects_of_any_length_come_whole(void **state)
{
	(void)state;
	JSON("for _, count in ipairs { 0, 1, 31, 32, 33, 64, 65, 1000 } do\n"
	     "  local items, members = {}, {}\n"
	     "  for i = 1, count do items[i] = i members[i] = ('\"k%d\":%d'):format(i, i) end\n"
	     "  local list = decode('[' .. table.concat(items, ',') .. ']')\n"
	     "  local map = decode('{' .. table.concat(members, ',') .. '}')\n"
	     "  equal(count, #list)\n"
	     "  for i = 1, count do equal(i, list[i]) equal(i, map['k' .. i]) end end");
}

/* Each is refused, with the place of what is wrong. */
static void test_says_line_and_character_of_what_is_wrong(void **state)
{
	(void)state;
	JSON("wrong('[1,\\n 2,\\n    3 4]', \"3:7: expected ',' or ']'\")\n"
	     "wrong('{\"a\":1 \"b\":2}', \"1:8: expected ',' or '}'\")\n"
	     "wrong('{\"a\" 1}', \"1:6: expected ':'\")\n"
	     "wrong('{a:1}', '1:2: expected a name in quotes')\n"
	     "wrong('{\"a\":1,}', '1:8: expected a name in quotes')\n"
	     "wrong('[1,]', '1:4: expected a value')\n"
	     "wrong('[\"\\u{fc}\\u{20ac}\" x]', \"1:7: expected ',' or ']'\")\n"
	     "wrong('1 2', '1:3: expected the end')\n"
	     "wrong('', '1:1: expected a value, got the end')\n"
	     "wrong('[1', \"1:3: expected ',' or ']', got the end\")\n"
	     "wrong('\"abc', \"1:5: expected '\\\"', got the end\")\n"
	     "wrong('\"abc\\\\', \"1:6: expected '\\\"', got the end\")\n"
	     "wrong('-', '1:2: expected a digit, got the end')\n"
	     "wrong('[1e999]', '1:2: a number too large')\n"
	     "wrong('-1' .. ('0'):rep(400), '1:1: a number too large')\n"
	     "wrong('\"a\\nb\"', '1:3: control character in a string')\n"
	     "wrong('\"a\\xFF\"', '1:3: not UTF-8')\n"
	     "wrong([[\"\\x41\"]], '1:2: unknown escape in a string')\n"
	     "wrong([[\"\\u12g4\"]], '1:2: expected four hexadecimal digits after \\\\u')\n"
	     "wrong([[\"a\\udc00\"]], '1:3: half of a surrogate pair')\n"
	     "wrong([[\"\\ud800\\u0041\"]], '1:2: half of a surrogate pair')\n"
	     "wrong([[\"\\ud800]], \"1:8: expected '\\\"', got the end\")\n"
	     "wrong('0.' .. ('1'):rep(1200), '1:3: a number of too many digits')");
}

static void test_refuses_what_only_looks_like_json(void **state)
{
	(void)state;
	JSON("for _, text in ipairs { ' ', '[', ']', '{', '}', ',', ':', '[1,,2]', '[,1]', "
	     "'[1:2]', '[1]]',\n"
	     "    '{\"a\"}', '{\"a\":}', '{\"a\":1,,}', '{,}', '{1:1}', '{\"a\":1:2}', "
	     "'{\"a\",1}', '[}', '{]',\n"
	     "    \"'a'\", '[a]', 'nul', 'nulll', 'True', 'NaN', 'Infinity', '-Infinity', "
	     "'undefined', 'tru',\n"
	     "    '01', '-01', '+1', '.5', '5.', '1.e3', '1e', '1e+', '--1', '- 1', '0x10', "
	     "'1_000', '1a', '1e1.5',\n"
	     "    '[1] // x', '/**/1', '# x', '\\xEF\\xBB\\xBF1', '\\u{a0}1', '\\f1', '\\v1', "
	     "'1\\0', '\\0', '[1\\0]',\n"
	     "    '\"\\t\"', '\"\\0\"', '\"\\x1f\"', '\"\\xC0\\x80\"', '\"\\xED\\xA0\\x80\"', "
	     "'\"\\xF4\\x90\\x80\\x80\"',\n"
	     "    '\"\\xE2\\x82\"', '\"\\x80\"', [[\"\\\"]], [[\"\\u\"]], [[\"\\u00\"]], [[\"\\u "
	     "041\"]], [[\"\\U0041\"]],\n"
	     "    [[\"\\'\"]], [[\"\\0\"]], [[\"\\\xC3\xBC\"]], [[\"\\ud800\\ud800\"]], "
	     "[[\"\\ud83d\\n\"]] } do\n"
	     "  local value, message, code = decode(text)\n"
	     "  if value ~= nil or code ~= 'EJSON' or not message:match '^%d+:%d+: %a' then\n"
	     "    error(('%q gave %s, %s'):format(text, value, message)) end end");
}

static void test_depth_and_size_are_limited(void **state)
{
	(void)state;
	JSON("local function nested(n) return ('['):rep(n) .. (']'):rep(n) end\n"
	     "equal('table', type(decode(nested(64))))\n"
	     "wrong(nested(65), '1:65: nested deeper than 64')\n"
	     "wrong(('{\"a\":'):rep(65), '1:321: nested deeper than 64')\n"
	     "wrong(('['):rep(100000), '1:65: nested deeper than 64')\n"
	     "equal('table', type(decode(nested(1000), { depth = 1000 })))\n"
	     "wrong('[[1]]', '1:2: nested deeper than 1', { depth = 1 })\n"
	     "equal('table', type(decode('[' .. ('[],'):rep(100) .. '1]', { depth = 2 })))\n"
	     "equal('aaaaaaaa', decode('\"aaaaaaaa\"', { max = 10 }))\n"
	     "wrong('\"aaaaaaaaa\"', '1:1: longer than 10 bytes', { max = '10B' })");
}

static void test_wrong_options_raise(void **state)
{
	(void)state;
	JSON("raises('unknown option \"indent\": there are depth, max and null', decode, '1', { "
	     "indent = 1 })\n"
	     "raises('unknown option \"null\": there are depth, max and indent', encode, 1, { null "
	     "= 1 })\n"
	     "raises('option depth: expected a whole number from 1 to 1000, got 0', decode, '1', { "
	     "depth = 0 })\n"
	     "raises('option depth: expected a whole number from 1 to 1000, got 1.5', encode, 1, { "
	     "depth = 1.5 })\n"
	     "raises('option indent: expected a whole number from 0 to 8, got 2', encode, 1, { "
	     "indent = '2' })\n"
	     "raises('option max must be at least one byte', decode, '1', { max = 0 })\n"
	     "equal(false, (pcall(decode, nil))) equal(false, (pcall(decode, {}))) equal(false, "
	     "(pcall(encode)))");
}

/* --- encoding --- */

static void test_encodes_every_kind_of_value(void **state)
{
	(void)state;
	JSON("equal('{\"a\":[1,2.5,\"x\",true,false,null]}', encode { a = { 1, 2.5, 'x', true, "
	     "false, null } })\n"
	     "equal('null', encode(nil)) equal('null', encode(null)) equal('\"\"', encode '')\n"
	     "equal('{}', encode {}) equal('[]', encode(json.array {})) equal('[[],{}]', encode { "
	     "json.array {}, {} })");
}

static void test_numbers_are_written_with_the_digits_that_they_need(void **state)
{
	(void)state;
	JSON("for number, text in pairs { [0.1] = '0.1', [0.1 + 0.2] = '0.30000000000000004', [1 / "
	     "3] = '0.3333333333333333',\n"
	     "    [12.34] = '12.34', [1e300] = '1e300', [5e-324] = '5e-324', [-1.5e-7] = "
	     "'-1.5e-7', [0.05] = '0.05',\n"
	     "    [math.mininteger] = '-9223372036854775808', [math.maxinteger] = "
	     "'9223372036854775807',\n"
	     "    [2.0 ^ 53] = '9007199254740992', [2.0 ^ 70] = '1.1805916207174113e21', [100.5] = "
	     "'100.5',\n"
	     "    [0.00012345678901234567] = '0.00012345678901234567', [-99] = '-99', "
	     "[1700000000.123] = '1700000000.123' } do\n"
	     "  equal(text, encode(number)) end\n"
	     "equal('3', encode(3.0)) equal('-0', encode(-0.0)) equal('9.007199254740992e15', "
	     "encode(2.0 ^ 53))\n"
	     "equal('1e19', encode(1e19)) equal('0', encode(0))");
}

static void test_strings_are_escaped_no_more_than_they_must(void **state)
{
	(void)state;
	JSON("equal([[\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u000b\\u001f]] .. '\\x7f\"',\n"
	     "  encode '\"\\\\/\\b\\f\\n\\r\\t\\0\\v\\x1f\\x7f')\n"
	     "equal('\"gr\\u{fc}n \\u{20ac} \\u{1F600}\"', encode 'gr\\u{fc}n \\u{20ac} "
	     "\\u{1F600}')\n"
	     "equal('\"' .. ('a'):rep(10000) .. '\"', encode(('a'):rep(10000)))\n"
	     "equal('\"' .. ([[\\n]]):rep(10000) .. '\"', encode(('\\n'):rep(10000)))");
}

static void test_a_result_of_any_length_comes_whole(void **state)
{
	(void)state;
	JSON("for length = 4080, 4100 do\n"
	     "  for _, value in ipairs { ('x'):rep(length), ('\\1'):rep(length // 6) .. "
	     "('x'):rep(length % 6) } do\n"
	     "    equal(value, decode(encode(value)))\n"
	     "    equal(value, decode(encode { a = { value, 1 } }).a[1]) end end\n"
	     "local list = {}\n"
	     "for i = 1, 5000 do list[i] = i * 1.5 end\n"
	     "local back = decode(encode(list))\n"
	     "for i = 1, 5000 do equal(i * 1.5, back[i] + 0.0) end");
}

static void test_arrays_keep_their_mark(void **state)
{
	(void)state;
	JSON("for _, text in ipairs { '[]', '{}', '[[],{},[{}]]', '{\"a\":[]}', "
	     "'[1,null,\"x\",[null]]' } do\n"
	     "  equal(text, encode(decode(text))) end\n"
	     "local list = decode '[1]' list[1] = nil equal('[]', encode(list))\n"
	     "local own = {} equal(own, json.array(own)) equal(own, json.array(own))\n"
	     "raises(\"bad argument #1 to 'luvd.json.array' (it has a metatable already)\", "
	     "json.array, "
	     "setmetatable({}, {}))\n"
	     "raises('cannot encode the key \"x\" of an array', encode, json.array { x = 1 })");
}

static void test_keys_of_an_array_may_come_in_any_order(void **state)
{
	(void)state;
	JSON("local t = {}\n"
	     "for i = 20, 1, -1 do t[i] = i end\n"
	     "equal('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20]', encode(t))\n"
	     "t = { 1, 2 } t[5] = 5 t[4] = { 4 } t[3] = 3\n"
	     "equal('[1,2,3,[4],5]', encode { [1] = t }:sub(2, -2))");
}

static void test_what_cannot_be_encoded_raises_with_the_way_to_it(void **state)
{
	(void)state;
	JSON("raises('cannot encode a function', encode, print)\n"
	     "raises('config.list[3]: cannot encode a function', encode, { config = { list = { 1, "
	     "2, print } } })\n"
	     "raises('[1][\"a b\"]._x: cannot encode a thread', encode, { { ['a b'] = { _x = "
	     "coroutine.create(print) } } })\n"
	     "raises('a: cannot encode a userdata', encode, { a = io.stdout })\n"
	     "raises('x: cannot encode nan', encode, { x = 0 / 0 }) raises('cannot encode inf', "
	     "encode, 1 / 0)\n"
	     "raises('[1]: cannot encode -inf', encode, { -1 / 0 })\n"
	     "raises('a: cannot encode a string that is not UTF-8', encode, { a = 'x\\xFF' })\n"
	     "raises('cannot encode a key that is not UTF-8', encode, { ['\\xC3'] = 1 })\n"
	     "raises('cannot encode a string that is not UTF-8', encode, '\\xED\\xA0\\x80')");
}

static void test_tables_that_are_neither_array_nor_object_raise_with_the_key(void **state)
{
	(void)state;
	JSON("raises('a: cannot encode the key \"x\" of an array', encode, { a = { 1, 2, x = 3 } "
	     "})\n"
	     "raises('cannot encode an array without [3]: put json.null there', encode, { 1, 2, "
	     "[5] = 5 })\n"
	     "raises('cannot encode an array without [1]: put json.null there', encode, { "
	     "[1000000000] = 1 })\n"
	     "raises('cannot encode the key 0 of an array', encode, { [0] = 1 })\n"
	     "raises('cannot encode the key 1.5 of an array', encode, { [1.5] = 1 })\n"
	     "raises('cannot encode a boolean as a key of an object', encode, { [true] = 1 })\n"
	     "local ok, message = pcall(encode, { x = 1, [7] = 1 })\n"
	     "assert(not ok and (message:find 'key 7 of an object' or message:find 'key \"x\" of "
	     "an array'))");
}

static void test_a_cycle_and_a_flood_end(void **state)
{
	(void)state;
	JSON("local cycle = {} cycle.self = cycle\n"
	     "raises(('self.'):rep(12):sub(1, -2) .. '...: tables nested deeper than 64, perhaps "
	     "in a cycle', encode, cycle)\n"
	     "raises('[1]: tables nested deeper than 1, perhaps in a cycle', encode, { {} }, { "
	     "depth = 1 })\n"
	     "equal('[[]]', encode({ json.array {} }, { depth = 2 }))\n"
	     "local flood = { 1 }\n"
	     "for _ = 1, 60 do flood = { flood, flood } end\n"
	     "local ok, message = pcall(encode, flood, { max = '64KiB' })\n"
	     "assert(not ok and message:find('more than 65536 bytes of JSON', 1, true))\n"
	     "equal(12, #encode(('x'):rep(10), { max = 12 }))\n"
	     "raises('more than 12 bytes of JSON', encode, ('x'):rep(11), { max = 12 })");
}

static void test_indent_puts_each_member_on_a_line(void **state)
{
	(void)state;
	JSON("equal('{\\n  \"a\": [\\n    1,\\n    {}\\n  ]\\n}', encode({ a = { 1, {} } }, { "
	     "indent = 2 }))\n"
	     "equal('[]', encode(json.array {}, { indent = 2 }))");
}

static void test_an_encoder_that_raises_can_be_used_on(void **state)
{
	(void)state;
	JSON("for _ = 1, 300 do pcall(encode, { ('x'):rep(9000), print }) pcall(decode, "
	     "'[\"a\\\\n' .. ('x'):rep(3000) .. '\\\\q\"]') end\n"
	     "collectgarbage() assert(collectgarbage 'count' < 1024)\n"
	     "equal('[1]', encode { 1 })");
}

static void test_a_field_of_a_log_line_shows_null_and_empty_arrays_as_they_are(void **state)
{
	(void)state;
	kit_assert_logs(INSIDE("local json = require 'luvd.json'\n"
			       "log:info('got', { a = json.decode '[1,null,[],{}]' })"),
			"INFO got a=[1,null,[],{}]");
}

/* --- for others in C --- */

static void test_the_encoder_adds_to_bytes_of_its_caller(void **state)
{
	lua_State *L = luaL_newstate();
	struct out out;
	char first[16] = "head:";

	(void)state;
	lua_createtable(L, 0, 0);
	out_begin(L, &out, first, 5, sizeof first);
	json_encode(L, 1, &out, NULL);
	assert_ptr_equal(out.bytes, first);
	assert_int_equal(out.length, 7);
	assert_memory_equal(first, "head:{}", 7);
	for (int i = 0; i < 100; i++)
		json_encode(L, 1, &out, NULL);
	assert_int_equal(out.length, 207);
	assert_memory_equal(out.bytes, "head:{}{}{}", 11);
	assert_int_equal(lua_gettop(L), 2);
	lua_close(L);
}

static void test_the_decoder_leaves_only_its_results(void **state)
{
	lua_State *L = luaL_newstate();
	struct json_limits limits = {.null = 1};

	(void)state;
	lua_pushliteral(L, "nothing");
	assert_int_equal(json_decode(L, "[1]]", 3, NULL), 1); /* no byte behind the length */
	assert_int_equal(lua_gettop(L), 2);
	assert_int_equal(json_decode(L, "null", 4, &limits), 1);
	assert_string_equal(lua_tostring(L, 3), "nothing");
	assert_int_equal(json_decode(L, "[[[\"\\n\\q\"", 9, NULL), 3);
	assert_int_equal(lua_gettop(L), 6);
	assert_true(lua_isnil(L, 4));
	assert_string_equal(lua_tostring(L, 5), "1:7: unknown escape in a string");
	assert_string_equal(lua_tostring(L, 6), "EJSON");
	lua_close(L);
}

/* A machine may have no locale with a comma, so libc's two functions that know of one are played.
 */
static bool comma;

struct lconv *localeconv(void)
{
	static char texts[2][2] = {".", ","};
	static struct lconv conventions;

	conventions.decimal_point = texts[comma];
	return &conventions;
}

double strtod(const char *text, char **end)
{
	locale_t plain = newlocale(LC_ALL_MASK, "C", NULL);
	char copy[64] = "";
	double real;

	if (comma) {
		for (size_t i = 0; text[i] && text[i] != '.' && i < sizeof copy - 1; i++)
			copy[i] = (char)(text[i] == ',' ? '.' : text[i]);
		text = copy;
	}
	real = strtod_l(text, end, plain);
	freelocale(plain);
	return real;
}

static void test_a_locale_changes_no_number(void **state)
{
	static const char text[] = "-0.12345678901234567890e-5";
	const char *at = text;
	struct number number;

	(void)state;
	comma = true;
	assert_int_equal(number_read(&at, text + strlen(text), &number), NUMBER_REAL);
	comma = false;
	assert_true(number.real == -0.12345678901234567890e-5);
}

/* Every kind of exponent, and neighbours of powers of two, where the interval is uneven. */
static void test_each_number_reads_back_as_itself(void **state)
{
	char text[NUMBER_WRITTEN_MAX];
	uint64_t seed = 88172645463325252;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		struct number number;
		const char *at = text;
		double real;
		size_t length;

		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		uint64_t bits = i % 2 ? seed : (seed & UINT64_C(0xFFF) << 52) + seed % 3 - 1;
		if ((bits >> 52 & 0x7FF) == 0x7FF)
			continue;
		memcpy(&real, &bits, sizeof real);
		length = number_write_real(text, real);
		assert_true(length <= 25);
		switch (number_read(&at, text + length, &number)) {
		case NUMBER_INTEGER:
			number.real = (double)number.integer;
			break;
		case NUMBER_REAL:
			break;
		default:
			fail_msg("%.*s", (int)length, text);
		}
		assert_ptr_equal(at, text + length);
		assert_memory_equal(&number.real, &real, sizeof real);
	}
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_decodes_every_kind_of_value),
    cmocka_unit_test(test_integers_are_exact_up_to_64_bits_and_floats_beyond),
    cmocka_unit_test(test_a_fraction_or_an_exponent_makes_a_float_that_is_rounded_right),
    cmocka_unit_test(test_null_is_absent_in_an_object_and_a_value_elsewhere),
    cmocka_unit_test(test_escapes_become_utf_8),
    cmocka_unit_test(test_of_members_with_one_name_the_last_counts),
    cmocka_unit_test(test_arrays_and_objects_of_any_length_come_whole),
    cmocka_unit_test(test_says_line_and_character_of_what_is_wrong),
    cmocka_unit_test(test_refuses_what_only_looks_like_json),
    cmocka_unit_test(test_depth_and_size_are_limited),
    cmocka_unit_test(test_wrong_options_raise),
    cmocka_unit_test(test_encodes_every_kind_of_value),
    cmocka_unit_test(test_numbers_are_written_with_the_digits_that_they_need),
    cmocka_unit_test(test_a_locale_changes_no_number),
    cmocka_unit_test(test_strings_are_escaped_no_more_than_they_must),
    cmocka_unit_test(test_a_result_of_any_length_comes_whole),
    cmocka_unit_test(test_arrays_keep_their_mark),
    cmocka_unit_test(test_keys_of_an_array_may_come_in_any_order),
    cmocka_unit_test(test_what_cannot_be_encoded_raises_with_the_way_to_it),
    cmocka_unit_test(test_tables_that_are_neither_array_nor_object_raise_with_the_key),
    cmocka_unit_test(test_a_cycle_and_a_flood_end),
    cmocka_unit_test(test_indent_puts_each_member_on_a_line),
    cmocka_unit_test(test_an_encoder_that_raises_can_be_used_on),
    cmocka_unit_test(test_a_field_of_a_log_line_shows_null_and_empty_arrays_as_they_are),
    cmocka_unit_test(test_the_encoder_adds_to_bytes_of_its_caller),
    cmocka_unit_test(test_the_decoder_leaves_only_its_results),
    cmocka_unit_test(test_each_number_reads_back_as_itself),
};

int main(void)
{
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "in_valgrind.h"
#include "spec_fixture.h"

#include <stdlib.h>
#include <string.h>

static const char text[] =
    "return { name = 'echo', service = './room.lua', config = { 1, 2.5, 'x', { y = false } },\n"
    "listen = { web = { address = { 'tcp://*:80', 'unix:@x', 'unix:/s' }, owner = '0:0' } },\n"
    "workers = 'auto', restart = { policy = 'never', final_codes = { 2, 255 } },\n"
    "files = { f = { path = 'f' } }, group = 4711, capabilities = { 'chown' },\n"
    "limits = { nofile = 5 }, signals = { HUP = 'service.again' }, pidfile = 'p',\n"
    "priority = { cpus = { 0 } }, environment = { keep = { 'TZ' }, set = { A = '1' } },\n"
    "lua = { preload = { 'room' }, path = { 'lib' } }, log = 'syslog' }";

static struct spec *make(struct fixture *fixture)
{
	static char *sets[] = {"config.z=5", NULL};

	fixture_write(fixture, "room.lua", "return {}");
	fixture->source.sets = sets;
	fixture_right(fixture, text);
	assert_int_equal(spec_resolve(fixture->spec, true, &fixture->errs), 0);
	return fixture->spec;
}

static unsigned char *encode(const struct spec *spec, size_t *length)
{
	unsigned char *bytes;
	struct err err = {0};

	assert_int_equal(bundle_encode(spec, &bytes, length, &err), 0);
	return bytes;
}

static void a_bundle_comes_back_as_it_was(void **state)
{
	struct spec *spec = make(*state), *back;
	struct err err = {0};
	size_t length, again;
	unsigned char *bytes = encode(spec, &length), *second;

	assert_int_equal(bundle_decode(&back, bytes, length, &err), 0);
	assert_true(value_equal(&spec->root, &back->root));
	assert_string_equal(back->name, "echo");
	assert_string_equal(back->listens[0].addresses[1].text, "tcp://[::]:80");
	assert_memory_equal(&back->listens[0].addresses[0].socket,
			    &spec->listens[0].addresses[0].socket, sizeof(struct sockaddr_storage));
	assert_int_equal(back->workers, spec->workers);
	assert_true(back->workers > 0);
	assert_int_equal(back->restart.policy, RESTART_NEVER);
	assert_int_equal(back->restart.final_codes[1], 255);
	assert_int_equal(back->timeout_watchdog, 30000);
	assert_int_equal(back->generations, 3);
	assert_int_equal(back->lua_slice, 1000);
	assert_string_equal(back->environment[0], spec->environment[0]);
	assert_string_equal(back->modules[1].text, "return {}");
	assert_string_equal(back->source.sets[0], "config.z=5");
	assert_string_equal(spec_blame(back, "config.z", &err)->where, "--set config.z");
	second = encode(back, &again);
	assert_int_equal(again, length);
	assert_memory_equal(bytes, second, length);
	free(second);
	free(bytes);
	spec_destroy(back);
}

static void refused(const unsigned char *bytes, size_t length)
{
	/* Of exactly that size, so that ASan sees a read behind it. */
	unsigned char *copy = malloc(length ? length : 1);
	struct err err = {0};
	struct spec *spec;

	memcpy(copy, bytes, length);
	assert_int_equal(bundle_decode(&spec, copy, length, &err), -1);
	assert_null(spec);
	assert_true(strncmp(err.what, "bundle: ", 8) == 0);
	free(copy);
}

static void a_cut_bundle_is_refused_wherever_it_is_cut(void **state)
{
	size_t length;
	unsigned char *bytes = encode(make(*state), &length);

	for (size_t cut = 0; cut < length; cut += in_valgrind() ? 7 : 1)
		refused(bytes, cut);
	bytes = realloc(bytes, length + 1);
	bytes[length] = 0;
	refused(bytes, length + 1);
	free(bytes);
}

/* What is damaged may still be right; it must never do harm, neither when it is read nor after. */
static void a_damaged_bundle_does_no_harm(void **state)
{
	static const unsigned char masks[] = {0x01, 0x80, 0xFF, 0x10};
	size_t length;
	unsigned char *bytes = encode(make(*state), &length);

	for (size_t i = 0; i < length; i += in_valgrind() ? 11 : 1)
		for (size_t k = 0; k < sizeof masks; k++) {
			struct err err = {0};
			struct spec *spec;

			bytes[i] ^= masks[k];
			if (bundle_decode(&spec, bytes, length, &err) == 0) {
				spec_blame(spec, "listen.web.address.1", &err);
				spec_blame(spec, "config.z", &err);
				spec_destroy(spec);
			}
			bytes[i] ^= masks[k];
		}
	free(bytes);
}

static void a_source_crosses_alone(void **state)
{
	struct fixture *fixture = *state;
	struct source back;
	struct err err = {0};
	unsigned char *bytes;
	size_t length;

	assert_int_equal(source_encode(&fixture->source, &bytes, &length, &err), 0);
	assert_int_equal(source_decode(&back, bytes, length, &err), 0);
	assert_string_equal(back.path, fixture->path);
	assert_string_equal(source_getenv(&back, "HOME"), "/home/ann");
	assert_null(source_getenv(&back, "HOM"));
	assert_null(back.sets);
	assert_int_equal(back.uid, 4711);
	source_finish(&back);
	for (size_t cut = 0; cut < length; cut++)
		assert_int_equal(source_decode(&back, bytes, cut, &err), -1);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_bundle_comes_back_as_it_was),
	    TEST(a_cut_bundle_is_refused_wherever_it_is_cut),
	    TEST(a_damaged_bundle_does_no_harm),
	    TEST(a_source_crosses_alone),
	};

	return cmocka_run_group_tests_name("a bundle", tests, NULL, NULL);
}

#include "sample.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <syslog.h>

#include "sys/sys.h"

static char path[] = "PATH=/usr/bin:/bin", lang[] = "LANG=C.UTF-8";
static char *environment[] = {path, lang, NULL};
static char program[] = "luvd";
static char *arguments[] = {program, NULL};

static struct address *add_address(struct sample *sample, const char *name)
{
	struct listen *listen = &sample->listens[sample->spec.listen_count];
	struct address *address = &sample->addresses[sample->spec.listen_count++];

	*listen = (struct listen){.name = (char *)name,
				  .addresses = address,
				  .address_count = 1,
				  .backlog = 511,
				  .mode = 0666,
				  .uid = (uid_t)-1,
				  .gid = (gid_t)-1};
	sample->spec.listens = sample->listens;
	return address;
}

void sample_listen(struct sample *sample, const char *name, const char *host, int port)
{
	struct address *address = add_address(sample, name);
	struct sockaddr_in *in = (struct sockaddr_in *)&address->socket;

	if (asprintf(&address->text, "tcp://%s:%d", host, port) < 0)
		abort();
	address->kind = ADDRESS_TCP;
	in->sin_family = AF_INET;
	in->sin_port = htons((uint16_t)port);
	inet_pton(AF_INET, host, &in->sin_addr);
	address->length = sizeof *in;
}

void sample_unix(struct sample *sample, const char *name, const char *file)
{
	struct address *address = add_address(sample, name);
	struct sockaddr_un *un = (struct sockaddr_un *)&address->socket;

	if (asprintf(&address->text, "unix:%s", file) < 0)
		abort();
	address->kind = ADDRESS_UNIX;
	un->sun_family = AF_UNIX;
	snprintf(un->sun_path, sizeof un->sun_path, "%s", file);
	address->length = sizeof *un;
}

static void fill(struct sample *sample, const char *name, const char *base)
{
	struct spec *spec = &sample->spec;

	memset(sample, 0, sizeof *sample);
	daemon_init(&sample->daemon);
	sample->daemon.spec = spec;
	sample->daemon.arguments = arguments;
	spec->name = (char *)name;
	spec->description = (char *)"";
	spec->chdir = (char *)"/";
	spec->umask = 027;
	spec->environment = environment;
	spec->log.level = LEVEL_INFO;
	spec->log.facility = LOG_DAEMON;
	spec->log.to = SINK_DEFAULT;
	spec->log.path = sample->log;
	spec->home_folder = sample->home;
	spec->control_wanted = true;
	spec->control = sample->control;
	snprintf(sample->home, sizeof sample->home, "%s/run/luvd/%s", base, name);
	snprintf(sample->control, sizeof sample->control, "%s/run/luvd/%s/control", base, name);
	snprintf(sample->log, sizeof sample->log, "%s/var/log/%s.log", base, name);
	snprintf(sample->pidfile, sizeof sample->pidfile, "%s/run/%s.pid", base, name);
	sample->modules[0] = (struct module){.name = (char *)"", .path = (char *)"/srv/jail.lua"};
	spec->modules = sample->modules;
	spec->module_count = 1;
}

/* What machine_probe would say. */
static void be(struct sample *sample, bool root)
{
	struct machine *machine = &sample->daemon.machine;

	machine->port_floor = 1024;
	machine->cpus = 2;
	machine->uid = machine->euid = 1000;
	machine->gid = 1000;
	machine->bounding = UINT64_C(0x1ffffffffff);
	for (size_t i = 0; i < LIMITS_MAX; i++)
		machine->hard[i] = 20000;
	if (root)
		machine_as_root(machine);
	if (root)
		machine->capabilities = machine->bounding = UINT64_C(0x1ffffffffff);
}

void sample_hello(struct sample *sample, bool root)
{
	fill(sample, "hello", root ? "" : "/tmp/luvd-1000");
	be(sample, root);
	sample->spec.uid = sample->daemon.machine.euid;
	sample->spec.gid = sample->daemon.machine.gid;
	sample->spec.user_name = (char *)(root ? "root" : "ann");
	sample->spec.service_kind = SERVICE_INLINE;
	sample_listen(sample, "web", "127.0.0.1", 8080);
}

static void add_folders(struct sample *sample, const char *base)
{
	static const char *const places[DIRECTORIES] = {"run", "var/lib", "var/cache", "var/log"};

	for (int i = 0; i < DIRECTORIES; i++) {
		snprintf(sample->folders[i], sizeof sample->folders[i], "%s/%s/jail", base,
			 places[i]);
		sample->spec.folders[i] = (struct folder){true, 0750, sample->folders[i]};
	}
}

void sample_jail(struct sample *sample, const char *base)
{
	struct spec *spec = &sample->spec;
	char socket[256];

	fill(sample, "jail", base);
	be(sample, true);
	sample->daemon.background = true;
	spec->pidfile = sample->pidfile;
	spec->drops = true;
	spec->user = spec->user_name = (char *)"nobody";
	spec->uid = 65534;
	spec->gid = 65534;
	sample->gids[0] = 100;
	spec->gids = sample->gids;
	spec->gid_count = 1;
	spec->chroot_auto = true;
	spec->service_kind = SERVICE_FILE;
	spec->service = (char *)"/srv/cell.lua";
	sample->modules[1] =
	    (struct module){.name = (char *)"./cell.lua", .path = (char *)"/srv/cell.lua"};
	spec->module_count = 2;
	add_folders(sample, base);
	snprintf(sample->file, sizeof sample->file, "%s/var/log/series", base);
	sample->files[0] = (struct file){(char *)"series", sample->file, 'a', 0640};
	spec->files = sample->files;
	spec->file_count = 1;
	sample->limits[0] = (struct limit){(char *)"nofile", RLIMIT_NOFILE, 4096};
	sample->limits[1] = (struct limit){(char *)"nproc", RLIMIT_NPROC, 64};
	spec->limits = sample->limits;
	spec->limit_count = 2;
	spec->nice_given = true;
	spec->nice = 5;
	sample->capabilities[0] = CAPABILITY_NET_BIND_SERVICE;
	spec->capabilities = sample->capabilities;
	spec->capability_count = 1;
	spec->capabilities_given = true;
	sample_listen(sample, "web", "0.0.0.0", 80);
	snprintf(socket, sizeof socket, "%s/run/jail.sock", base);
	sample_unix(sample, "local", socket);
}

void sample_worker(struct sample *sample)
{
	struct daemon *daemon = &sample->daemon;
	size_t count = sample->spec.listen_count;

	sample->spec.workers = 3;
	daemon->role = 4; /* WORKER */
	daemon->background = true;
	daemon->generation = 5;
	daemon->worker = 2;
	daemon->monitor = 99;
	daemon->channel_fd = 3;
	daemon->relay_fd = 5;
	daemon->listeners = calloc(count + 1, sizeof *daemon->listeners);
	daemon->file_fds = calloc(sample->spec.file_count + 1, sizeof *daemon->file_fds);
	if (!daemon->listeners || !daemon->file_fds)
		abort();
	for (daemon->listener_count = 0; daemon->listener_count < count; daemon->listener_count++)
		daemon->listeners[daemon->listener_count] =
		    (struct listener){.listen = &sample->listens[daemon->listener_count],
				      .address = &sample->addresses[daemon->listener_count],
				      .fd = 6 + (int)daemon->listener_count};
	for (size_t i = 0; i < sample->spec.file_count; i++)
		daemon->file_fds[i] = 6 + (int)count + (int)i;
}

void sample_finish(struct sample *sample)
{
	daemon_finish(&sample->daemon);
	for (size_t i = 0; i < sizeof sample->addresses / sizeof *sample->addresses; i++)
		free(sample->addresses[i].text);
}

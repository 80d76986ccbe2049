#include "cmd/manual.h"

#include <stddef.h>
#include <string.h>

#define WRONG_FILE "wrong usage, or a daemon file that `luvd check` finds wrong"
#define WRONG_USE "wrong usage"
#define NO_DAEMON "wrong usage, or FILE is no running daemon's and wrong"
#define STOPPED "it does not run"

const struct manual manuals[] = {
    {"run",
     "Runs the daemon in the foreground: the log goes to standard error, Ctrl-C stops it "
     "gracefully, a second Ctrl-C at once. It is what a service manager or a container starts. "
     "All else is as with `luvd start`: the same steps, the same user, the same limits.\n\n"
     "With `--watch` it reloads whenever the daemon file, what it includes or a module changes, "
     "and "
     "prints the verdict; a broken file keeps what runs, and a first start that fails waits for a "
     "change. There is a monitor then, also when the daemon file says `workers = 0`.",
     {{0, "it has been stopped"},
      {1, "this machine or the service refuses, or the daemon has failed; what the service gives "
	  "to `luvd.stop` or `os.exit` otherwise"},
      {2, WRONG_FILE},
      {3, "it runs already"}},
     {{"luvd run hello.lua", "serve until Ctrl-C"},
      {"luvd run hello.lua --set log.level=debug", "say more, this time"},
      {"luvd run hello.lua --watch", "reload with every edit"}}},
    {"start",
     "Starts the daemon in the background and returns when `start` of the service has returned in "
     "every worker. One line tells its pid, its addresses and where it logs. A start that fails "
     "says why, undoes what it has done and leaves nothing behind.",
     {{0, "it is ready; with `--if-stopped` also: it runs already"},
      {1, "this machine or the service refuses"},
      {2, WRONG_FILE},
      {3, "it runs already"}},
     {{"luvd start hello.lua", "start it"},
      {"luvd start hello.lua --if-stopped", "for scripts that run again and again"},
      {"luvd start hello.lua --set user= --set workers=2",
       "without the key `user`, with two workers; kept for each reload"}}},
    {"stop",
     "Stops the daemon gracefully, within `timeouts.stop` of its daemon file, and returns when "
     "its process is gone. The daemon file is not read, so a broken one stops nobody. What a dead "
     "daemon has left is removed.",
     {{0, "it is gone"}, {1, "it cannot be stopped"}, {2, NO_DAEMON}, {3, STOPPED}},
     {{"luvd stop hello", "by name"}, {"luvd stop hello.lua", "by daemon file"}}},
    {"reload",
     "Has the daemon read its daemon file and modules again and tells the verdict. Where only "
     "values have changed, `reload` of the service is called; where code has, new workers are "
     "started and the old ones finish their connections. Whatever fails, the daemon goes on as "
     "before, and the verdict names the line.",
     {{0, "what is on disk is in force"},
      {1, "refused by this machine or by the service: it goes on as before"},
      {2, WRONG_FILE ": it goes on as before"},
      {3, STOPPED}},
     {{"luvd reload hello", "after an edit"}}},
    {"upgrade",
     "Lets the running daemon go on with the luvd that is installed now: same process id, same "
     "sockets, new workers. The new program is tried first; one that does not work changes "
     "nothing.",
     {{0, "it runs the installed luvd"},
      {1, "refused: it goes on as before"},
      {2, NO_DAEMON},
      {3, STOPPED}},
     {{"luvd upgrade hello", "after a new luvd was installed"}}},
    {"restart",
     "Checks the daemon file, stops the daemon when it runs, and starts it. What `luvd check` or "
     "`luvd plan` would find keeps the one that runs.",
     {{0, "it is ready"},
      {1, "this machine or the service refuses"},
      {2, WRONG_FILE ": the one that runs goes on"},
      {3, "what was asked for by name does not run"}},
     {{"luvd restart hello.lua", "for keys that no reload changes"}}},
    {"status",
     "Tells whether the daemon runs: its pid, for how long, its workers, listeners, connections, "
     "memory, and how the last reload went.",
     {{0, "it runs"},
      {1, "it is dead and has left its record; with `--audit`: something is not as it should be"},
      {2, NO_DAEMON},
      {3, STOPPED},
      {4, "unknown: it starts just now, does not answer, or you may not ask"}},
     {{"luvd status hello", "for people"},
      {"luvd status hello --json", "for programs"},
      {"luvd status hello --metrics", "for Prometheus"}}},
    {"check",
     "Reads the daemon file as data and tells all that is wrong with it, each with its line. "
     "Nothing of this machine is asked, so it works in anybody's checks; warnings name what is "
     "right and yet a surprise.",
     {{0, "it is right"}, {2, "it is wrong or cannot be read; wrong usage"}},
     {{"luvd check hello.lua", "before a commit"},
      {"luvd check hello.lua --set workers=0", "would it be right as a classic daemon?"}}},
    {"plan",
     "Prints every step that `luvd start` would take on this machine, in order, and takes none: "
     "what root does, which ids and rights are left, which paths are made.",
     {{0, "it could start, as far as can be seen"}, {1, "this machine refuses"}, {2, WRONG_FILE}},
     {{"luvd plan hello.lua", "what happens when I start it"},
      {"luvd plan hello.lua --as root", "what happens when root does"},
      {"luvd plan hello.lua --json", "for programs"}}},
    {"logs",
     "Prints the last lines that the daemon has logged, from its own memory, wherever the log "
     "goes.",
     {{0, "done; with `--follow`: the daemon has ended"},
      {1, "it does not answer, or you may not ask"},
      {2, NO_DAEMON},
      {3, STOPPED}},
     {{"luvd logs hello --lines 20", "the last twenty"},
      {"luvd logs hello --follow", "and what comes, until Ctrl-C"}}},
    {"console",
     "Evaluates Lua in a worker of the running daemon, when its daemon file has `console = true`, "
     "for root and the daemon's user. On a terminal it has history and completion; what is "
     "piped in is evaluated line by line.",
     {{0, "done"},
      {1, "an error of the Lua code, with `-e` or from a pipe; or the daemon has no console"},
      {2, NO_DAEMON},
      {3, STOPPED}},
     {{"luvd console hello", "look around"},
      {"luvd console hello -e 'collectgarbage \"count\"'", "one value, for a script"}}},
    {"unit",
     "Prints what starts the daemon elsewhere: a unit of systemd that asks for no more than the "
     "daemon file needs, a script of rc.d, s6 or runit, or the stanza for logrotate. Nothing is "
     "written.",
     {{0, "printed"}, {1, "it cannot be written in that form"}, {2, WRONG_FILE}},
     {{"luvd unit hello.lua --as root", "a unit, to put into /etc/systemd/system"},
      {"luvd unit hello.lua --for logrotate", "a stanza, to put into /etc/logrotate.d"}}},
    {"new",
     "Makes a folder with a daemon file, its service, a spec, settings of busted and of editors "
     "and a README; `luvd test` passes there at once. Nothing that exists is overwritten, and what "
     "was "
     "made is removed when it cannot be finished.",
     {{0, "made; what to do next is printed"},
      {1, "it cannot be written, or the folder is there and not empty"},
      {2, "wrong usage, or no name for a daemon"}},
     {{"luvd new shop", "a service of HTTP"},
      {"luvd new clock --template timer", "one that does something now and then"}}},
    {"lua",
     "Runs a Lua script on an event loop, with the modules of luvd and with luv (`uv`, `luv`). "
     "Code may call what waits wherever it stands, and the script ends when nothing is left to "
     "wait for. "
     "Options, `arg`, `LUA_INIT` and `LUA_PATH` are those of lua(1); `luvd-lua` is the same under "
     "a "
     "name for `#!` and `busted --lua`. Without a script it reads what is typed, on a terminal "
     "with history and completion.",
     {{0, "the script has ended, and nothing that it started has failed"},
      {1,
       "an error, of the script or of a task or handler of it; wrong usage; what the script gives "
       "to `os.exit` otherwise"}},
     {{"luvd lua -e 'print(require(\"luvd\").version)'", "a line of Lua"},
      {"luvd lua", "an interpreter to type in"}}},
    {"test",
     "Runs tests with busted in an interpreter of luvd: a test may call what waits. A test that "
     "takes "
     "too long fails, and one that leaves a handle, connection, timer, task, descriptor or process "
     "behind fails and says which. Options that are not here, files and the settings in `.busted` "
     "are busted's.",
     {{0, "all tests have passed"},
      {1, "tests have failed, as many as the code says; or busted is not installed"},
      {2, WRONG_USE}},
     {{"luvd test", "all specs in spec/"},
      {"luvd test --coverage spec/hello_spec.lua", "one of them, and the lines that it ran"}}},
    {"help",
     "Tells what a key of the daemon file means, its type, its default and what it takes to "
     "change it; without a key, the commands and the keys at the top.",
     {{0, "told"}, {2, "no such key and no such command"}},
     {{"luvd help listen", "a key and those below it"},
      {"luvd help start", "a command"},
      {"luvd help --json", "all there is, for programs"}}},
    {"version",
     "Prints the version of this luvd. `luvd status` tells that of a daemon that runs.",
     {{0, "printed"}, {2, WRONG_USE}},
     {{"luvd version", "which one is this?"}}},
    {.command = NULL},
};

const struct own_option own_options[] = {
    {"lua", "-e", "CODE", "run this Lua; may be given again"},
    {"lua", "-l", "MODULE", "require this module into the global of its name"},
    {"lua", "-i", NULL, "read what is typed once the script has ended"},
    {"lua", "-v", NULL, "print the versions"},
    {"lua", "-E", NULL, "leave LUA_INIT, LUA_PATH and LUA_CPATH out"},
    {"lua", "-W", NULL, "turn warnings on"},
    {"test", "--watch", NULL, "run them again when a file changes"},
    {"test", "--coverage", NULL,
     "tell which lines were run, write them into lcov.info; --coverage=FILE: into FILE"},
    {"test", "--time-limit", "DURATION", "of each test; 30s is the default"},
    {"test", "--no-leaks", NULL, "let tests leave something behind"},
    {.command = NULL},
};

static const struct {
	const char *option, *values;
} choices[] = {
    {"--as", "root"},
    {"--for", "systemd rc.d s6 runit logrotate"},
    {"--template", "http tcp udp timer"},
};

const char *manual_choices(const char *option)
{
	for (size_t i = 0; i < sizeof choices / sizeof *choices; i++)
		if (strcmp(choices[i].option, option) == 0)
			return choices[i].values;
	return NULL;
}

const struct manual *manual_find(const char *command)
{
	for (const struct manual *manual = manuals; manual->command; manual++)
		if (strcmp(manual->command, command) == 0)
			return manual;
	return NULL;
}

-- What a person at a terminal sees, and what a program reads that is not one. script(1) gives a terminal.

local loop = require "support.loop"
local luvd = require "support.luvd"

local escape = "\27"
local sgr = escape .. "%[[%d;]*m"

local talker = [[
local luvd = require "luvd"
return { user = ROOT, log = { level = "debug" }, service = { start = function()
  luvd.log:debug "looking"
  luvd.log:info("one\27[2Jtwo\r\155", { key = "value", odd = "a\27b" })
  luvd.log:warn "careful"
  luvd.log:error "broken\nat the second line"
end } }
]]

local function quote(words)
  local quoted = {}
  for _, word in ipairs(words) do quoted[#quoted + 1] = "'" .. word .. "'" end
  return table.concat(quoted, " ")
end

local function file(t, text)
  return t:file((text:gsub("ROOT", luvd.root and '"root"' or "nil")))
end

-- Runs `luvd …` on a terminal to its end: all that the terminal was sent, without its carriage returns.
local function on_terminal(t, words, env)
  local line = "exec " .. quote { luvd.binary, table.unpack(words) }
  local child = t:command({ "/usr/bin/script", "-qec", line, "/dev/null" }, { more_env = env or { "TERM=xterm" } })
  return (child.out:gsub("\r\n", "\n")), child
end

-- The log of a daemon that runs on a terminal until it is ready.
local function log_on_terminal(t, env, text)
  local path = file(t, text or talker)
  local line = "exec " .. quote { luvd.binary, "run", path }
  local child = t:spawn({ "/usr/bin/script", "-qefc", line, "/dev/null" }, { more_env = env or { "TERM=xterm" } })
  loop.wait_for("the last line", function() return child.out:find("Ctrl-C stops", 1, true) end)
  assert.equal(0, t:luvd({ "stop", path }).code)
  child:wait()
  return (child.out:gsub("\r\n", "\n")), path
end

local function plain(text)
  return (text:gsub(sgr, ""))
end

-- Nothing but SGR: no cursor is moved, nothing is cleared.
local function assert_only_sgr(text)
  assert.is_nil(plain(text):find "[%z\1-\8\11-\31\127]", plain(text))
end

describe("the log on a terminal", function()
  it("has the time of day, a coloured level and the message in one column", luvd.test(function(t)
    local text = log_on_terminal(t)
    assert_only_sgr(text)
    assert.matches(escape .. "[32minfo " .. escape .. "[0m ", text, 1, true)
    assert.matches(escape .. "[1;33mwarn " .. escape .. "[0m ", text, 1, true)
    assert.matches(escape .. "[1;31merror" .. escape .. "[0m ", text, 1, true)
    assert.matches(escape .. "[2mkey=" .. escape .. "[0mvalue", text, 1, true)
    local columns = {}
    for _, message in ipairs { "looking", "one\\x1b", "careful", "broken", "ready, pid" } do
      local line = assert(plain(text):match("[^\n]*" .. message:gsub("%p", "%%%0") .. "[^\n]*"), message)
      assert.matches("^%d%d:%d%d:%d%d%.%d%d%d %l+ +" .. t.name .. "%[%d+%] +", line)
      columns[line:find(message, 1, true)] = true
    end
    assert.is_nil(next(columns, next(columns)))
    assert.matches("broken\n    at the second line\n", plain(text), 1, true)
  end))

  it("escapes what a message holds of control characters", luvd.test(function(t)
    local text = log_on_terminal(t)
    assert.matches([[one\x1b[2Jtwo\x0d\x9b]], text, 1, true)
    assert.matches([[odd=]] .. escape .. [=[[0m"a\u001bb"]=], text, 1, true)
  end))

  for _, env in ipairs { { "TERM=xterm", "NO_COLOR=1" }, { "TERM=xterm", "NO_COLOR=0" }, { "TERM=dumb" }, {} } do
    it("keeps its columns and has no colours with " .. (#env > 0 and table.concat(env, " ") or "no TERM"),
      luvd.test(function(t)
        local text = log_on_terminal(t, env)
        assert.is_nil(text:find(escape, 1, true))
        assert.matches("\n%d%d:%d%d:%d%d%.%d%d%d warn  " .. t.name .. "%[%d+%] +careful\n", "\n" .. text)
      end))
  end

  it("is coloured when NO_COLOR is empty", luvd.test(function(t)
    assert.matches(escape, log_on_terminal(t, { "TERM=xterm", "NO_COLOR=" }), 1, true)
  end))

  it("stays JSON when that is its format", luvd.test(function(t)
    local text = log_on_terminal(t, nil, (talker:gsub('level = "debug"', 'format = "json"')))
    assert.is_nil(text:find(escape, 1, true))
    assert.matches('"level":"warn"', text, 1, true)
  end))
end)

describe("the log that is no terminal's", function()
  it("is plain whatever TERM says", luvd.test(function(t)
    local d = t:run(file(t, talker), {}, { more_env = { "TERM=xterm", "CLICOLOR_FORCE=1" } })
    d:stop()
    assert.is_nil(d.child.err:find(escape, 1, true))
    for line in d.child.err:gmatch "[^\n]+" do
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%dZ %l+ +" .. t.name .. "%[%d+%]: .",
        line:gsub("^    at the second line$", "2026-11-22T00:00:00.000Z info  " .. t.name .. "[1]: x"))
    end
  end))

  it("is kept plain for luvd logs, which colours it on a terminal alone", luvd.test(function(t)
    local path = file(t, talker)
    local child = t:spawn({ "/usr/bin/script", "-qefc", "exec " .. quote { luvd.binary, "run", path }, "/dev/null" },
      { more_env = { "TERM=xterm" } })
    loop.wait_for("the last line", function() return child.out:find("Ctrl-C stops", 1, true) end)
    local logs = t:luvd({ "logs", path }).out
    assert.is_nil(logs:find(escape, 1, true))
    assert.matches("Z warn  " .. t.name .. "%[%d+%]: careful\n", logs)
    local shown = on_terminal(t, { "logs", path })
    assert.matches("Z " .. sgr .. escape .. "%[1;33mwarn " .. sgr .. " " .. t.name .. "%[%d+%]: careful\n", shown)
    assert_only_sgr(shown)
    assert.equal(logs, plain(shown))
    assert.equal(0, t:luvd({ "stop", path }).code)
    child:wait()
  end))
end)

describe("run --watch on a terminal", function()
  local text = "return { user = ROOT,\n  umask = \"022\",\n  service = { start = function() end },\n}\n"

  local function run(t, path)
    local line = "exec " .. quote { luvd.binary, "run", "--watch", path }
    local child = t:spawn({ "/usr/bin/script", "-qefc", line, "/dev/null" }, { more_env = { "TERM=xterm" } })
    loop.wait_for("the daemon", function() return child.out:find("Ctrl-C stops", 1, true) end)
    return child
  end

  it("shows the line that a refused reload is about beneath the verdict", luvd.test(function(t)
    local path = file(t, text)
    local child = run(t, path)
    file(t, (text:gsub('"022"', "22")))
    loop.wait_for("the verdict", function() return child.out:find("^\r\n", 1, true) end)
    local shown = plain(child.out:gsub("\r\n", "\n"))
    assert.matches("%d error " .. t.name .. "%[%d+%] +reload refused: [^\n]+: umask: [^\n]+ got 22\n" ..
      "        2 |   umask = 22,\n          |           %^\n", shown)
    assert_only_sgr(child.out:gsub("\r\n", "\n"))
    assert.equal(0, t:luvd({ "stop", path }).code)
    child:wait()
  end))

  it("is stopped gracefully by one Ctrl-C, which both of its processes get", luvd.test(function(t)
    local path = file(t, (text:gsub("start = function%(%) end", '%0, stop = function() require "luvd".sleep(0.2) end')))
    local child = run(t, path)
    child.stdin:write "\3"
    child:wait_exit()
    child:wait()
    assert.same({ 0, 0 }, { child.code, child.signal })
    assert.matches("stopped\r\n$", child.out)
    t:assert_nothing_left()
  end))

  it("ends at Ctrl-C while it waits for a change", luvd.test(function(t)
    local path = file(t, (text:gsub('"022"', "22")))
    local line = "exec " .. quote { luvd.binary, "run", "--watch", path }
    local child = t:spawn({ "/usr/bin/script", "-qefc", line, "/dev/null" }, { more_env = { "TERM=xterm" } })
    loop.wait_for("the verdict", function() return child.out:find("waiting for a change", 1, true) end)
    child.stdin:write "\3"
    child:wait_exit()
    child:wait()
    assert.equal(2, child.code)
    t:assert_nothing_left()
  end))
end)

describe("an error of a command", function()
  local wrong = "return {\n  umask = 22,\n  service = { start = function() end },\n}\n"

  it("shows the line and a caret", luvd.test(function(t)
    local path = file(t, wrong)
    assert.equal(("luvd: %s:2: umask: expected an octal string such as \"027\", got 22\n"):format(path) ..
      "    2 |   umask = 22,\n      |           ^\n", t:luvd({ "check", path }).err)
  end))

  it("shows the line of a syntax error", luvd.test(function(t)
    local path = file(t, "return {\n  umask = = 22,\n}\n")
    assert.equal(("luvd: %s:2: unexpected symbol near '='\n    2 |   umask = = 22,\n      |   ^\n"):format(path),
      t:luvd({ "check", path }).err)
  end))

  it("shows the line when this machine refuses", luvd.test(function(t)
    local path = file(t, 'return {\n  user = "nobody_is_called_so",\n  service = { start = function() end },\n}\n')
    local result = t:luvd { "plan", path }
    assert.matches('    2 |   user = "nobody_is_called_so",\n      |          ^\n', result.err, 1, true)
  end))

  it("shows the line when a step of the start fails", luvd.test(function(t)
    local path = file(t, 'return {\n  user = ROOT,\n  listen = {\n    web = "unix:/nowhere/at/all",\n  },\n' ..
      '  service = { start = function() end },\n}\n')
    local result = t:failed_start(path)
    assert.matches(':4: listen.web: ', result.err, 1, true)
    assert.matches('    4 |     web = "unix:/nowhere/at/all",\n      |           ^\n', result.err, 1, true)
  end))

  it("shows the line of a service that raises at its start", luvd.test(function(t)
    local path = file(t, 'return { user = ROOT, service = { start = function()\n  error "not today"\nend } }\n')
    local result = t:failed_start(path)
    assert.matches("not today", result.err, 1, true)
    assert.matches('    2 |   error "not today"\n      |   ^\n', result.err, 1, true)
  end))

  it("shows the line when a running daemon refuses a reload, and status does not", luvd.test(function(t)
    local good = "return { user = ROOT,\n  umask = \"022\",\n  service = { start = function() end },\n}\n"
    local path = file(t, good)
    local d = t:start(path)
    file(t, (good:gsub('"022"', "22")))
    local result = d:reload()
    assert.equal(2, result.code)
    assert.matches('got 22\n    2 |   umask = 22,\n      |           ^\n', result.err, 1, true)
    assert.is_nil(d:status().reload.text:find("|", 1, true))
    assert.is_nil(d:log():find("|", 1, true))
    d:stop()
  end))

  it("is coloured on a terminal, and nothing but coloured", luvd.test(function(t)
    local path = file(t, wrong)
    local text = on_terminal(t, { "check", path })
    assert_only_sgr(text)
    assert.equal(t:luvd({ "check", path }).err, plain(text))
    assert.equal(1, (text:find(escape .. "[1;31mluvd:" .. escape .. "[0m ", 1, true)))
    assert.equal(plain(text), (on_terminal(t, { "check", path }, { "TERM=xterm", "NO_COLOR=1" })))
  end))

  it("is coloured when a start fails, though the environment is taken away by then", luvd.test(function(t)
    local path = file(t, 'return { user = ROOT, service = { start = function() error "no" end } }')
    assert.matches(escape .. "[1;31mluvd:" .. escape .. "[0m ", on_terminal(t, { "run", path }), 1, true)
    assert.matches(escape .. "[1;31mluvd:" .. escape .. "[0m ", on_terminal(t, { "start", path }), 1, true)
  end))

  it("has no control characters of the daemon file's", luvd.test(function(t)
    local path = file(t, [[error "a\27[2Jb\30/etc\31c"]])
    assert.matches([[a\x1b[2Jb\x1e/etc\x1fc]], t:luvd({ "check", path }).err, 1, true)
    assert.matches([[    1 | error "a\27[2Jb\30/etc\31c"]], t:luvd({ "check", path }).err, 1, true)
    file(t, 'return {\n  umask = "\\x1b",\n}\n')
    assert.matches('    2 |   umask = "\\x1b",\n      |           ^', t:luvd({ "check", path }).err, 1, true)
    file(t, "return {\n  umask = 22, -- a\27[2Jb\n}\n")
    assert.matches([[    2 |   umask = 22, -- a\x1b[2Jb]], t:luvd({ "check", path }).err, 1, true)
  end))
end)

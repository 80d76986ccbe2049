-- What luvd says of itself: --help, help --json, and the examples in them, each run.

local facts = require "make.facts"
local loop = require "support.loop"
local luvd = require "support.luvd"
local tree = require "support.tree"
local uv = require "luv"

local all = assert(facts.ask(luvd.binary), luvd.binary .. " help --json has failed")

local function has(list, wanted)
  for _, item in ipairs(list) do
    if item == wanted then return true end
  end
  return false
end

describe("luvd COMMAND --help", function()
  for _, command in ipairs(all.commands) do
    it(("says of %s what it does, its exit codes and examples"):format(command.name), function()
      assert.is_string(command.text, command.name .. " has no row in src/cmd/manual.c")
      assert.matches("^%u.*%.$", command.text)
      assert.equal(0, command.codes[1].code)
      assert.is_true(#command.examples >= 1 and #command.examples <= 3)
      for _, example in ipairs(command.examples) do
        assert.equal(("luvd %s"):format(command.name), example.line:match "^luvd %l+")
        assert.is_true(#example.does > 5)
      end
    end)

    it(("prints all of it for %s, no line longer than a terminal"):format(command.name), luvd.test(function(t)
      local result = t:luvd { command.name, "--help" }
      assert.same({ 0, "" }, { result.code, result.err })
      local usage, rest = result.out:match "^(usage: luvd [^\n]+)\n(.*)$"
      assert.equal(("usage: luvd %s %s"):format(command.name, command.arguments):match "^(.-)%s*$", usage)
      for line in rest:gmatch "[^\n]+" do assert.is_true(#line <= 80, line) end
      local words = rest:gsub("%s+", " ")
      assert.truthy(words:find((command.text:gsub("%s+", " ")), 1, true))
      for _, option in ipairs(facts.options(all, command)) do
        assert.truthy(rest:find("[ ,]" .. option.name:gsub("%-", "%%-") .. "%f[^%w-]"), option.name)
      end
      for _, example in ipairs(command.examples) do assert.truthy(rest:find("  " .. example.line .. "\n", 1, true)) end
    end))

    it(("tells the exit code of wrong usage of %s"):format(command.name), luvd.test(function(t)
      local result = t:luvd { command.name, "--no-such-option" }
      local codes = {}
      for i, code in ipairs(command.codes) do codes[i] = code.code end
      assert.not_equal(0, result.code)
      assert.is_true(has(codes, result.code), ("%s exits with %d"):format(command.name, result.code))
    end))
  end
end)

describe("luvd help --json", function()
  it("has every key, its kind, and what may change", luvd.test(function(t)
    local text = t:luvd({ "help" }).out:match "keys of a daemon file:\n(.*)$"
    for line in text:gmatch "[^\n]+" do assert.truthy(all.keys[line:match "^  (%l+) "], line) end
    assert.same({ "duration", "reload", '"30s"' },
      { all.keys["timeouts.stop"].type, all.keys["timeouts.stop"].change, all.keys["timeouts.stop"].default })
    assert.same({ "workers", "restart" }, { all.keys.user.change, all.keys.pidfile.change })
    assert.same({ true, true, "to" }, { all.keys.isolate.later, all.keys.timeouts.group, all.keys.log.shorthand })
  end))

  it("has only options that exist, and each is of some command", function()
    local used = {}
    for _, command in ipairs(all.commands) do
      for _, name in ipairs(command.options) do
        assert.truthy(all.options[name], name)
        used[name] = true
      end
    end
    for _, option in ipairs(all.options) do assert.is_true(used[option.name], option.name) end
  end)

  it("tells all values of the options that take no others", luvd.test(function(t)
    local file = t:file 'return { service = { start = function() end } }'
    local message = t:luvd({ "unit", file, "--for", "nothing" }).err
    local choices = all.options["--for"].choices
    local last = table.remove(choices)
    assert.matches(("expected %s or %s, got"):format(table.concat(choices, ", "), last), message, 1, true)
    choices[#choices + 1] = last
    message = t:luvd({ "new", "x", "--template", "nothing" }).err
    for _, choice in ipairs(all.options["--template"].choices) do assert.matches(choice, message, 1, true) end
    assert.same({ "root" }, all.options["--as"].choices)
    assert.is_nil(all.options["--set"].choices)
  end))

  it("refuses a key: it is all or nothing", luvd.test(function(t)
    local result = t:luvd { "help", "umask", "--json" }
    assert.same({ 2, "" }, { result.code, result.out })
    assert.matches("leave out 'umask'", result.err, 1, true)
  end))
end)

-- --- the examples, run ---

local service = [[
return {
  console = true,
  listen = { web = "tcp://127.0.0.1:0" },
  service = { start = function(daemon) daemon.log:info("hello") end },
}
]]

-- Needs a daemon that runs; the others need one that does not, and it is stopped after them.
local of_running = { stop = true, reload = true, upgrade = true, status = true, logs = true, console = true }

-- These end with Ctrl-C.
local function is_endless(line)
  return line:match "^luvd run " or line:match " %-%-follow"
end

local function shell(line)
  return { "/bin/sh", "-c", ("PATH=%s:$PATH; exec %s"):format(luvd.binary:match "^(.*)/", line) }
end

local function interrupted(t, line, file)
  local child = t:spawn(shell(line))
  if line:match "^luvd run" then
    loop.wait_for("luvd run to be ready", function()
      if child.code then error(("%s: %d %s"):format(line, child.code, child.err), 0) end
      return t:luvd({ "status", file, "--json" }).out:find('"state":"running"', 1, true)
    end)
  else
    child:wait_output("out", "ready")
  end
  child:kill "sigint"
  child:wait()
  return child
end

describe("the example", function()
  for _, command in ipairs(all.commands) do
    for _, example in ipairs(command.examples) do
      it(("'%s' works"):format(example.line), luvd.test(function(t)
        local file = t:file(service)
        uv.fs_mkdir(t.folder .. "/spec", tonumber("755", 8))
        tree.write(("%s/spec/%s_spec.lua"):format(t.folder, t.name), 'it("holds", function() end)\n')
        local line = example.line:gsub("hello", t.name)
        local running = of_running[command.name] and t:start(file)
        if is_endless(line) then
          local child = interrupted(t, line, file)
          assert.same({ 0, command.name == "run" and 0 or 2 }, { child.code, child.signal })
        else
          local result = t:command(shell(line))
          assert.equal(0, result.code, ("%s: %s%s"):format(line, result.out, result.err))
        end
        if running and command.name == "stop" then return running:wait_end() end
        if command.name == "start" or command.name == "restart" then running = t:attach(file) end
        if running then running:stop() end
      end))
    end
  end
end)

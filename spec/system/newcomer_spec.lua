-- The mistakes of the first hour: each is made in a fresh `luvd new`, and what luvd says must help.

local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"

-- A new daemon of the test's name, on a port that the kernel chooses; its folder and its daemon file.
local function new(t, template)
  assert.equal(0, t:luvd({ "new", t.name, "--template", template or "http" }).code)
  local folder = t.folder .. "/" .. t.name
  local file = ("%s/%s.lua"):format(folder, t.name)
  tree.write(file, (proc.slurp(file):gsub("(://127%.0%.0%.1:)%d+", "%10")))
  return folder, file
end

-- Changes a text in a file, once.
local function edit(path, from, to)
  local text = proc.slurp(path)
  local at = assert(text:find(from, 1, true), from .. " is not in " .. path)
  tree.write(path, text:sub(1, at - 1) .. to .. text:sub(at + #from))
end

-- What luvd says first, without warnings.
local function says(result)
  return (result.err:gsub("luvd: warning:[^\n]*\n", ""):match "^luvd: ([^\n]*)")
end

-- The first line of a refused start, and its exit code.
local function start(t, folder, file, ...)
  local result = t:luvd({ "start", file, ... }, { cwd = folder })
  assert.not_equal(0, result.code)
  t:assert_nothing_left()
  return says(result), result.code, result.err
end

describe("a newcomer", function()
  it("who leaves the command out is told one", luvd.test(function(t)
    local result = t:luvd { "shop.lua" }
    assert.same({ 2, "luvd: which command? to run 'shop.lua': luvd run shop.lua\n" }, { result.code, result.err })
  end))

  it("who leaves .lua out is told the file that is there", luvd.test(function(t)
    local folder, file = new(t)
    local result = t:luvd({ "start", t.name }, { cwd = folder })
    assert.equal(2, result.code)
    assert.equal(("%s: cannot open '%s/%s': no such file or directory; did you mean '%s'?")
      :format(t.name, folder, t.name, file), says(result))
    result = t:luvd { "check", t.name }
    assert.equal(("%s: '%s' is a folder; did you mean '%s'?"):format(t.name, folder, file), says(result))
    result = t:luvd({ "check", "other" }, { cwd = folder })
    assert.equal(("other: cannot open '%s/other': no such file or directory"):format(folder), says(result))
  end))

  it("who starts the service is told of the daemon file, and of nothing else", luvd.test(function(t)
    local folder = new(t)
    for _, command in ipairs { "check", "start" } do
      local result = t:luvd({ command, "service.lua" }, { cwd = folder })
      assert.equal(2, result.code)
      assert.equal('service.lua:25: start: this file is a service; luvd wants the daemon file, which names it: '
        .. 'service = "./service.lua"', says(result))
      assert.is_nil(result.err:find "no such key")
    end
  end))

  it("who names the service's file without .lua is told the file that is there", luvd.test(function(t)
    local folder, file = new(t)
    edit(file, '"./service.lua"', '"./service"')
    local said, code = start(t, folder, file)
    assert.equal(2, code)
    assert.equal(("%s:7: service: cannot open '%s/service': no such file or directory; did you mean '%s/service.lua'?")
      :format(file, folder, folder), said)
  end))

  it("who misspells a key is told the right one", luvd.test(function(t)
    local folder, file = new(t)
    edit(file, "listen =", "lisen =")
    local said, code = start(t, folder, file)
    assert.equal(2, code)
    assert.matches('%.lua:5: lisen: no such key, got { web = "[^"]+" }; did you mean "listen"%?$', said)
  end))

  it("who misspells start is told what was found", luvd.test(function(t)
    local folder, file = new(t)
    edit(folder .. "/service.lua", "function service.start", "function service.strat")
    local said, code, all = start(t, folder, file)
    assert.equal(1, code)
    assert.equal('service: expected start to be a function, got nil; did you mean "strat"?', said)
    assert.is_nil(all:find "traceback")
  end))

  it("who forgets to return the service is told so", luvd.test(function(t)
    local folder, file = new(t)
    edit(folder .. "/service.lua", "\nreturn service", "")
    local said, code, all = start(t, folder, file)
    assert.equal(1, code)
    assert.equal(("service: '%s/service.lua' returns nothing: its last line has to return the table with the function "
      .. "start"):format(folder), said)
    assert.is_nil(all:find "traceback")
  end))

  it("who misspells a function of luvd is told the right one", luvd.test(function(t)
    local folder, file = new(t)
    edit(folder .. "/service.lua", "http.serve(", "http.serv(")
    local said, code = start(t, folder, file)
    assert.equal(1, code)
    assert.equal(("start: %s/service.lua:26: luvd.http has no \"serv\"; did you mean \"serve\"?"):format(folder), said)
  end))

  it("who misspells a module of luvd is told the right one", luvd.test(function(t)
    local folder, file = new(t)
    edit(folder .. "/service.lua", '"luvd.http"', '"luvd.htp"')
    local said, code = start(t, folder, file)
    assert.equal(1, code)
    assert.equal(("service: %s/service.lua:2: luvd has no module \"luvd.htp\"; did you mean \"luvd.http\"?")
      :format(folder), said)
  end))

  it("who asks for a module that is nowhere is told where it was looked for", luvd.test(function(t)
    local folder, file = new(t)
    edit(folder .. "/service.lua", '"luvd.http"', '"no.such"')
    local said, code = start(t, folder, file)
    assert.equal(2, code)
    local form = [[%s/service.lua:2: cannot find module "no.such": looked for '%s/no/such.lua']]
    local expected = form:format(folder, folder)
    assert.equal(expected, said:sub(1, #expected))
  end))

  it("whose start never returns is told that it has to", luvd.test(function(t)
    local folder, file = new(t, "timer")
    edit(folder .. "/service.lua", "timer = luvd.every(", "while true do luvd.sleep(1) end\n  timer = luvd.every(")
    local said, code = start(t, folder, file, "--set", "timeouts.start=300ms")
    assert.equal(1, code)
    -- The worker or its monitor, whoever is the first to notice.
    if said ~= "start: did not return within 300ms" then
      assert.equal("worker 1 was not ready within 300ms: start of the service has to return; what goes on belongs in a "
        .. "task of its own, see daemon:spawn", said)
    end
  end))

  it("who breaks the code of a daemon that runs is told the line, and the old code serves on", luvd.test(function(t)
    local folder, file = new(t)
    local daemon = t:start(file)
    for from, expected in pairs {
      ["return router --"] = { 2, (": %s/service.lua:20: syntax error near 'router'"):format(folder) },
      ["http.serve("] = { 1, ": start: " .. folder .. "/service.lua:26: luvd.http has no \"retrn(\"" },
    } do
      local text = proc.slurp(folder .. "/service.lua")
      edit(folder .. "/service.lua", from, (from:gsub("^return", "retrn"):gsub("%.serve", "['retrn(']")))
      local verdict = daemon:reload()
      assert.same({ expected[1], t.name .. expected[2] }, { verdict.code, says(verdict) })
      tree.write(folder .. "/service.lua", text)
      assert.is_true(daemon:alive())
    end
    daemon:stop()
  end))
end)

describe("the modules of luvd", function()
  it("tell of a name that they have not, in a script too, and can be added to", luvd.test(function(t)
    local file = t:file([[
      for _, name in ipairs { "luvd", "luvd.net", "luvd.fs", "luvd.http", "luvd.json", "luvd.resp", "luvd.task",
        "luvd.testing" } do
        local module = require(name)
        assert(not pcall(function() return module.nothing_like_it end), name)
        local _, message = pcall(function() return module[{}] end)
        assert(message:find(name .. ' has no "table: ', 1, true), message)
        module.mine = 1
        assert(module.mine == 1)
        for key, value in pairs(module) do assert(module[key] == value) end
      end
      local _, message = pcall(function() require("luvd.http").requst() end)
      assert(message:find('luvd.http has no "requst"; did you mean "request"?', 1, true), message)
      assert(require("luvd.http").request and require("luvd.http").router)
    ]], "names.lua")
    local result = t:luvd { "lua", file }
    assert.same({ 0, "", "" }, { result.code, result.out, result.err })
  end))
end)

-- What a test that uses luvd.testing shows and leaves, however it ends. This file itself runs under luvd.

local luvd = require "support.luvd"
local proc = require "support.proc"
local specimens = require "support.specimens"
local uv = require "luv"

-- A spec file of its own, run by luvd test or by busted.
describe("a test that uses luvd.testing", function()
  local function daemon_of(t)
    return t:file((specimens.lines:gsub('"lines", user = "nobody", chroot = "auto"', ('"%s"'):format(t.name))))
  end

  local function run(t, text, more)
    local file, daemon = t:file(text, "inner_spec.lua"), daemon_of(t)
    local environment = { "DAEMON=" .. daemon, "TMPDIR=" .. t.folder, table.unpack(more or {}) }
    local result = t:luvd({ "test", "-o", "TAP", file }, { more_env = environment })
    t:assert_no_process()
    local left = {}
    for _, name in ipairs(proc.names(t.folder)) do
      if name:find "^luvd_test" then left[#left + 1] = name end
    end
    assert.same({}, left)
    return result
  end
  local head = 'local testing, file = require "luvd.testing", os.getenv "DAEMON"\n'

  it("is shown the log when it fails, and only then", luvd.test(function(t)
    local result = run(t, head .. [[
      it("fails", function()
        local d <close> = testing.start(file)
        d:eval 'require "luvd".log:info "seen in the log"'
        assert.equal(1, 2)
      end)
      it("is right", function() testing.start(file):eval 'require "luvd".log:info "not to be seen"' end)]])
    assert.equal(1, result.code)
    assert.matches("not ok 1 %- fails.*seen in the log.*ok 2", result.out)
    assert.is_nil(result.out:find("not to be seen", 1, true))
  end))

  it("leaves no process and no folder, whatever it does", luvd.test(function(t)
    local result = run(t, head .. [[
      local shared
      describe("a block", function()
        setup(function() shared = testing.start(file) end)
        before_each(function() testing.start(file) end)
        it("starts one", function() testing.start(file); testing.tree { a = "b" } end)
        it("has the one of setup still", function() assert.equal(1, shared:eval "1") end)
        it("raises", function() testing.start(file) error "oh" end)
      end)
      it("does not have it after the block", function() assert.equal(0, shared:stop().code) end)]])
    assert.equal(1, result.code, result.out .. result.err)
    assert.matches("ok 1.*ok 2.*not ok 3.*oh.*ok 4", result.out)
  end))

  it("has the one of lazy_setup until the end of the block", luvd.test(function(t)
    local result = run(t, head .. [[
      for _, way in ipairs { "start", "simulate" } do
        describe(way, function()
          local shared, made
          lazy_setup(function()
            shared = testing[way](file)
            made = require "luvd.net".listen "tcp://127.0.0.1:0"
          end)
          lazy_teardown(function() made:close() end)
          it("one", function() assert.equal(1, shared:eval "1") end)
          it("two", function() assert.equal(2, shared:eval "2") end)
        end)
      end]])
    assert.equal(0, result.code, result.out .. result.err)
  end))

  it("is shown the log when one of its hooks fails", luvd.test(function(t)
    local result = run(t, head .. [[
      for _, hook in ipairs { setup, teardown, before_each, after_each, lazy_setup, lazy_teardown } do
        describe("block", function()
          hook(function()
            local d = testing.start(file)
            d:eval 'require "luvd".log:info "seen in the log"'
            d:wait_log "seen"
            error "of the hook"
          end)
          it("is right", function() end)
        end)
      end]])
    assert.equal(6, select(2, result.out:gsub("inner_spec.lua:8: of the hook\n[^\n]*the log of", "")), result.out)
    assert.equal(6, select(2, result.out:gsub("seen in the log", "")), result.out)
  end))

  it("is told its own line when a call raises", luvd.test(function(t)
    local result = run(t, head .. [[
      it("line 2", function() testing.start "none" end)
      it("line 3", function() testing.simulate "none" end)
      it("line 4", function() testing.start(file):wait_log("x", "1ms") end)
      it("line 5", function() testing.simulate(file):wait_log("x", "1ms") end)
      it("line 6", function() testing.simulate(file).clock:advance "x" end)
      it("line 7", function() testing.simulate(file):eval "error 'x'" end)
      it("line 8", function() testing.start(file):connect "x" end)
      it("line 9", function() testing.tree { ["../x"] = "" } end)]])
    for line = 2, 9 do
      assert.matches(("line %d\n# [^\n]*\n# Failure message: [^\n]*/inner_spec.lua:%d: [^\n]+\n"):format(line, line),
        result.out)
    end
    assert.is_nil(result.out:find "Failure message: [^\n]*luvd%.testing")
  end))

  it("waits for no daemon whose handle it has lost", luvd.test(function(t)
    local result = run(t, head .. [[
      local now, began = require "luvd".now
      it("loses it", function() testing.start(file) began = now() end)
      it("goes on", function() assert.is_true(now() - began < 0.9) end)]])
    assert.equal(0, result.code, result.out .. result.err)
  end))

  it("may connect to a simulated one of setup, which leaves nothing with the test", luvd.test(function(t)
    local result = run(t, head .. [[
      local shared
      setup(function() shared = testing.simulate(file) end)
      it("connects", function() assert.is_string(shared:connect().peer) end)]])
    assert.equal(0, result.code, result.out .. result.err)
  end))

  it("is not shown all of a long log", luvd.test(function(t)
    local result = run(t, head .. [[
      it("fails", function()
        local d <close> = testing.simulate(file)
        d:eval 'for number = 1, 20000 do require "luvd".log:info("line " .. number .. " of many") end'
        d:wait_log("not there", "1ms")
      end)]])
    assert.matches("line 20000 of many", result.out)
    assert.is_true(#result.out < 60000, #result.out)
  end))

  it("leaves none when the interpreter is killed, leaves early or loses it", luvd.test(function(t)
    for _, text in ipairs { "os.exit(3)", "os.exit(3, true)", "error 'x'", "collectgarbage() return",
      "require 'luv'.kill(require 'luv'.os_getpid(), 'sigkill')" } do
      local script = t:file(head .. "local d = testing.start(file)\n" .. text, "script.lua")
      t:luvd({ "lua", script }, { more_env = { "DAEMON=" .. daemon_of(t), "TMPDIR=" .. t.folder } })
      t:assert_no_process()
    end
  end))

  it("is given a reloaded daemon when the environment says so", luvd.test(function(t)
    local text = head .. [[
      local d
      setup(function() d = testing.start(file) end)
      it("one", function() assert.equal(os.getenv "EXPECTED" == "1", d.log:find "reload" ~= nil) end)]]
    assert.equal(0, run(t, text, { "EXPECTED=0" }).code)
    local result = run(t, text, { "EXPECTED=1", "LUVD_TEST_RELOAD=1" })
    assert.equal(0, result.code, result.out)
  end))

  it("removes what a killed one has left an hour ago", luvd.test(function(t)
    local old, young = t.folder .. "/luvd_test_999999999_abcdef", t.folder .. "/luvd_test_999999998_abcdef"
    for _, folder in ipairs { old, young } do assert(uv.fs_mkdir(folder, tonumber("755", 8))) end
    assert(uv.fs_utime(old, os.time() - 4000, os.time() - 4000))
    local script = t:file("require 'luvd.testing'.tree {}", "script.lua")
    assert.equal(0, t:luvd({ "lua", script }, { more_env = { "TMPDIR=" .. t.folder } }).code)
    assert.same({ false, "directory" }, { uv.fs_stat(old) ~= nil, uv.fs_stat(young).type })
  end))

  it("is not a service: there luvd.testing says so", luvd.test(function(t)
    local result = t:luvd { "run", t:file 'return { service = { start = function() require "luvd.testing" end } }' }
    assert.equal(1, result.code)
    assert.matches("luvd.testing is for tests", result.err)
  end))
end)

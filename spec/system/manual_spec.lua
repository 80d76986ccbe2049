-- The man pages: right as their readers take them, and whole.

local facts = require "make.facts"
local built = require "make.built"
local luvd = require "support.luvd"
local pages = require "make.pages"
local proc = require "support.proc"
local roff = require "make.roff"
local tree = require "support.tree"

local all = assert(facts.ask(luvd.binary))
local made = built(all, 0)
local names = { "luvd.1", "luvd-lua.1", "luvd.conf.5", "luvd.lua.3" }

-- The page as it is shown, in one line.
local function shown(t, text)
  local path = tree.write(t.folder .. "/page", text)
  local result = t:command { "/usr/bin/mandoc", "-T", "ascii", path }
  assert.equal(0, result.code, result.err)
  return (result.out:gsub(".\b", ""):gsub("%s+", " "))
end

local function page()
  return roff.new { name = "x", section = 1, about = "y", version = "0", date = "2000-01-01" }
end

describe("the man pages", function()
  it("pass mandoc's and groff's checks without a word", luvd.test(function(t)
    for _, name in ipairs(names) do
      local path = tree.write(t.folder .. "/" .. name, made[name])
      if name ~= "luvd-lua.1" then
        local result = t:command { "/usr/bin/mandoc", "-T", "lint", path }
        assert.same({ 0, "", "" }, { result.code, result.out, result.err })
        result = t:command { "/usr/bin/groff", "-man", "-ww", "-z", "-Tutf8", path }
        assert.same({ 0, "", "" }, { result.code, result.out, result.err })
      end
    end
  end))

  it("are what the build has made, but for their date", function()
    for name, text in pairs(made) do
      local there = proc.slurp(("%s/docs/%s"):format(luvd.build, name))
      assert.truthy(there, ("%s/docs/%s is not there: run ninja -C %s manual"):format(luvd.build, name, luvd.build))
      assert.equal(text, (there:gsub("^(%.TH %S+ %d) %S+", "%1 1970-01-01")), name)
    end
  end)

  it("have every command, with its options and examples", luvd.test(function(t)
    local text = shown(t, made["luvd.1"])
    for _, command in ipairs(all.commands) do
      assert.truthy(text:find(("luvd %s %s"):format(command.name, command.arguments):match "^(.-)%s*$", 1, true))
      assert.truthy(text:find((command.text:gsub("`", ""):gsub("%s+", " ")), 1, true), command.name)
      for _, option in ipairs(facts.options(all, command)) do assert.truthy(text:find(option.name, 1, true)) end
      for _, example in ipairs(command.examples) do assert.truthy(text:find(example.line, 1, true), example.line) end
    end
  end))

  it("have every key of the daemon file", luvd.test(function(t)
    local text = shown(t, made["luvd.conf.5"])
    for _, key in ipairs(all.keys) do
      assert.truthy(text:lower():find((" %s %s."):format(key.name, key.help):lower(), 1, true), key.name)
    end
  end))

  it("have every function of the Lua API", luvd.test(function(t)
    local text, count = shown(t, made["luvd.lua.3"]), 0
    for _, item in ipairs(pages.declared().items) do
      for _, func in ipairs(item.functions or {}) do
        local call = (func.method and ":" or ".") .. func.name .. "("
        assert.truthy(text:find(call, 1, true), item.name .. call)
        count = count + 1
      end
    end
    assert.is_true(count > 100)
  end))

  it("show a daemon file that is right", luvd.test(function(t)
    local example = made["luvd.conf.5"]:match "%.EX\n(.-)%.EE":gsub("\\%-", "-")
    tree.write(t.folder .. "/greeter.lua", "return { start = function() end }")
    local result = t:luvd { "check", t:file(example) }
    assert.equal(0, result.code, result.err)
  end))
end)

describe("the writer of man pages", function()
  it("leaves text as it is, whatever it begins with or has in it", luvd.test(function(t)
    local p = page()
    p:section "A"
    local texts = { ".PP is no request", "'nor this", "a \\fBbackslash\\e", "a^b~c", "it's `x.y --z` and \"q\"" }
    for _, text in ipairs(texts) do p:text(text) end
    local text = shown(t, p:finish())
    for _, part in ipairs(texts) do
      assert.truthy(text:find((part:gsub("`", "")), 1, true), part .. ": " .. text)
    end
  end))

  it("breaks long lines, and makes a list of lines that begin with a dash", function()
    local p = page()
    p:text(("word "):rep(100) .. "\n\n- one\n- two")
    local text = p:finish()
    for line in text:gmatch "[^\n]+" do assert.is_true(#line <= 80) end
    assert.truthy(text:find(".IP \\(bu 2\none\n.IP \\(bu 2\ntwo\n", 1, true), text)
  end)
end)

-- The manual: its pages are those that the sources make now, and its maker refuses what it would have to leave out.

local api = require "make.api"
local check = require "make.check"
local facts = require "make.facts"
local headers = require "make.headers"
local keys = require "make.keys"
local luacats = require "make.luacats"
local markdown = require "make.markdown"
local pages = require "make.pages"
local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"

local function read(text)
  return luacats.new():read(text, "x.lua")
end

local function refuses(expected, text)
  local ok, message = pcall(read, text)
  assert.is_false(ok, "it was taken: " .. text)
  assert.equal(expected, message)
end

local function complaints(text)
  return check(read(text))
end

-- The page as it is kept is what would be made now.
local function assert_kept(path, fresh)
  local kept = proc.slurp(path)
  if fresh == kept then return end
  local number, lines = 0, (kept or ""):gmatch "([^\n]*)\n"
  for line in fresh:gmatch "([^\n]*)\n" do
    number = number + 1
    assert.equal(line, lines(), ("%s:%d: run lua5.4 docs/make.lua"):format(path, number))
  end
  error(path .. ": has lines too many: run lua5.4 docs/make.lua", 0)
end

describe("the manual", function()
  for _, name in ipairs { "api.md", "internals.md" } do
    it(("docs/%s is what docs/make.lua makes now (else: lua5.4 docs/make.lua)"):format(name), function()
      assert_kept("docs/" .. name, pages()[name])
    end)
  end

  it("has the keys of the daemon file for editors: lua/luvd/keys.lua", function()
    assert_kept("lua/luvd/keys.lua", keys(facts.ask(luvd.binary)))
  end)

  it("has a type, a default and a description for each key", function()
    local types = pages.declared()
    types:read(proc.slurp "lua/luvd/keys.lua", "lua/luvd/keys.lua")
    assert.same({}, check(types))
    local seen = {}
    for _, item in ipairs(types.items) do
      for _, field in ipairs(item.name:match "^luvd%.DaemonFile" and item.fields or {}) do
        local name = (item.name:gsub("^luvd%.DaemonFile%.?", "") .. "." .. field.name):gsub("^%.", ""):lower()
        seen[name] = field
      end
    end
    for _, key in ipairs(facts.ask(luvd.binary).keys) do
      local name = key.name:gsub("%.NAME", "")
      if not key.later and not key.name:find "%.NAME$" then
        assert.is_table(seen[name], key.name)
        assert.is_true(seen[name].optional)
        assert.truthy(seen[name].text:find(key.help, 1, true))
      end
    end
    assert.equal('"r"|"a"|"w"', seen["files.mode"].type.bare)
    assert.equal("table<string, string|luvd.DaemonFile.Listen>", seen.listen.type.bare)
  end)

  it("has a file for each module in lua/editor, and no other (else: lua5.4 docs/make.lua)", function()
    local expected, kept = pages.for_editors(), {}
    assert.truthy(expected["luvd.lua"]:find("---@type luvd\n", 1, true))
    assert.truthy(expected["luvd/http.lua"]:find("---@meta luvd.http\n", 1, true))
    for _, folder in ipairs { "", "luvd/" } do
      for _, name in ipairs(proc.names("lua/editor/" .. folder)) do
        if name:match "%.lua$" then kept[folder .. name] = proc.slurp("lua/editor/" .. folder .. name) end
      end
    end
    assert.same(expected, kept)
  end)

  it("links to files and headings that exist", function()
    local anchors = {}
    local function has(path, anchor)
      if not anchors[path] then
        local next_anchor = markdown.anchors()
        anchors[path] = {}
        for heading in (proc.slurp(path):gsub("```.-```", "")):gmatch "\n#+ ([^\n]+)" do
          anchors[path][next_anchor((heading:gsub("%[(.-)%]%(.-%)", "%1")))] = true
        end
      end
      return anchors[path][anchor]
    end
    local count = 0
    local shown = { "README.md", "docs/api.md", "docs/internals.md", "docs/guide.md", "docs/control.md",
      "docs/benchmarks.md" }
    for _, name in ipairs(proc.names "docs/guide") do shown[#shown + 1] = "docs/guide/" .. name end
    for _, page in ipairs(shown) do
      for target in (proc.slurp(page):gsub("```.-```", "")):gmatch "%]%(([^%s()]+)%)" do
        local path, anchor = target:match "^([^#]*)#?(.*)$"
        local from = page:match "^.*/" or ""
        path = path == "" and page or (from .. path):gsub("[%w_]+/%.%./", ""):gsub("[%w_]+/%.%./", "")
        assert.is_true(tree.exists(path), page .. " links to " .. target)
        if anchor ~= "" then assert.is_true(has(path, anchor), page .. " links to " .. target) end
        count = count + 1
      end
    end
    assert.is_true(count > 100)
  end)
end)

describe("the reader of annotations", function()
  it("takes classes, fields, functions and aliases", function()
    local types = read [[
---@meta

---What all may know.

---Seconds.
---@alias x.Time number|string

---The module "x": things.
---@class (exact) x
---@field version string its version
local x = {}

---Waits.
---@param time? x.Time default: a second
---@param ... any
---@return fun(a: string, b?: table<string, integer>): nil, string? it
---@return string? message what failed
function x.wait(time, ...) end
]]
    assert.same({ "What all may know." }, types.prose)
    local alias, class = table.unpack(types.items)
    assert.same({ "x.Time", "Seconds." }, { alias.name, alias.text })
    assert.same({ "x", "x", "version" }, { class.name, class.module, class.fields[1].name })
    local func = class.functions[1]
    assert.same({ "wait", "Waits.", "x.lua:18" }, { func.name, func.text, func.at })
    assert.same({ "x.Time", true, "default: a second" },
      { func.params[1].type.text, func.params[1].optional, func.params[1].text })
    assert.same({ "fun(a: string, b?: table<string, integer>): nil, string?", "it" },
      { func.returns[1].type.text, func.returns[1].name })
    assert.same({ "message", "what failed" }, { func.returns[2].name, func.returns[2].text })
    assert.same({}, check(types))
    assert.truthy(api(types):find("x.wait([time], ...) -> it | nil, message", 1, true))
  end)

  it("names file and line of what it does not understand", function()
    refuses("x.lua:2: '@wrong' is not understood", "---@meta\n---@wrong x\n")
    refuses("x.lua:1: @field without a @class above it", "---@field a string\n")
    refuses("x.lua:1: @class a: 'b' is not understood", "---@class a b\n")
    refuses("x.lua:2: @alias a wants a type", "---@alias a\n\n")
    refuses("x.lua:1: 'if x then end' is not understood", "if x then end\n")
    refuses("x.lua:3: expected a name in a type, got ') t'",
      "---@class a\n---@field x string t\n---@field y (string|) t\n")
    refuses("x.lua:1: expected ')' in a type, got the end", "---@param a (string\n")
    refuses("x.lua:1: @param wants a name and a type", "---@param a\n")
  end)

  it("refuses an annotation that belongs to nothing", function()
    refuses("x.lua:4: an annotation that belongs to nothing: a function, a class or an alias must follow",
      "---A.\n---@class a\n\n---@param b string\n\n")
    refuses("x.lua:4: an annotation that belongs to nothing: a function, a class or an alias must follow",
      "---A.\n---@class a\n\n---Words.\n\n")
  end)

  it("refuses parameters that are not those of the function", function()
    refuses("x.lua:4: a:f has the parameters (b, c), and @param says (b)",
      "---@class a\nlocal a = {}\n---@param b string\nfunction a:f(b, c) end\n")
  end)

  it("refuses a function of no class, and two declarations of one name", function()
    refuses("x.lua:1: 'b' is no class of this file", "function b.f() end\n")
    refuses("x.lua:4: a is declared already, at x.lua:1", "---@class a\n\n---@class a\n\n")
  end)

  it("refuses a description below the tags, where editors read it differently", function()
    refuses("x.lua:2: a description stands above the first tag, or on the tag's line", "---@class a\n---Words.\n")
  end)
end)

describe("the reader of annotations, as for what is rarer,", function()
  it("takes cases of an alias, parents of a class, generic types and overloads", function()
    local types = read [[
---A colour.
---@alias x.Colour
---| "red" # as a rose
---| "blue"

---A.
---@class x.A

---B.
---@class (exact) x.B: x.A
local B = {}

---Calls.
---@generic T
---@param f fun(): T
---@return T
---@overload fun(self: x.B, name: x.Colour): nil
function B:call(f) end
]]
    assert.same({}, check(types))
    assert.equal('"red"|"blue"', types.items[1].type.text)
    local page = api(types)
    for _, part in ipairs { '- `"red"`: as a rose\n- `"blue"`\n', "It has all that [x.A](#xa) has.",
      "b:call(f) -> T\nb:call(name: x.Colour): nil" } do
      assert.truthy(page:find(part, 1, true), part .. " is not in " .. page)
    end
  end)
end)

describe("the check of the annotations", function()
  local function class(lines)
    return "---A.\n---@class a\nlocal a = {}\n" .. lines
  end

  it("wants a description of everything public", function()
    assert.same({ "x.lua:1: a has no description", "x.lua:2: a.b has no description" },
      complaints "---@class a\n---@field b string\n")
    assert.same({ "x.lua:4: a.f has no description" }, complaints(class "function a.f() end\n"))
    assert.same({ "x.lua:1: a has no description" }, complaints "---@alias a string\n")
    assert.same({ "x.lua:2: a wants a variable: 'local name = {}'" }, complaints '---The module "a".\n---@class a\n')
  end)

  it("wants every type declared", function()
    assert.same({ "x.lua:5: no such type: luvd.Nothing" },
      complaints(class "---F.\n---@param b fun(): luvd.Nothing[]\nfunction a.f(b) end\n"))
    assert.same({ "x.lua:3: no such type: strin" },
      complaints "---A.\n---@class a\n---@field b table<string, strin> x\n")
  end)

  it("wants the default of what is optional, the unit of a number and the codes of a failure", function()
    assert.same({ "x.lua:5: a.f: 'b' is optional: say its default" },
      complaints(class "---F.\n---@param b? string a word\nfunction a.f(b) end\n"))
    assert.same({ "x.lua:5: a.f: 'b' is a number: say of what" },
      complaints(class "---F.\n---@param b integer\nfunction a.f(b) end\n"))
    assert.same({ "x.lua:7: a.f: say which codes it may return" },
      complaints(class("---F.\n---@return true? ok\n---@return string? message\n---@return string? code\n"
        .. "function a.f() end\n")))
    assert.same({ "x.lua:3: aOptions.b has no description", "x.lua:4: aOptions: 'c' is optional: say its default" },
      complaints "---A.\n---@class aOptions\n---@field b string\n---@field c? string a word\n")
  end)
end)

describe("the reader of headers", function()
  it("makes comments text, declarations code, and drops bodies and guards", function()
    local text = headers { { path = "src/a.h", text = [[
#ifndef LUVD_A_H
#define LUVD_A_H

#include <lua.h>

/* What it is: a <close> *thing*.
 *
 *   as it stands */

/* Answers. */
int answer(void);
static inline int two(void)
{
	return 2;
}

#endif
]] } }
    assert.truthy(text:find("What it is: a \\<close> \\*thing\\*.\n\n    as it stands\n\nAnswers.\n\n"
      .. "```c\nint answer(void);\nstatic inline int two(void);\n```\n", 1, true), text)
  end)

  it("refuses a header that says nothing, and one in an unknown room", function()
    local ok, message = pcall(headers, { { path = "src/a.h", text = "int a;\n" } })
    assert.same({ false, "src/a.h:1: a header without a comment: say what it is for" }, { ok, message })
    ok, message = pcall(headers, { { path = "src/new/a.h", text = "/* A. */\n" } })
    assert.same({ false, "a header lies in a folder that docs/make/headers.lua has no room for: src/new/a.h" },
      { ok, message })
  end)
end)

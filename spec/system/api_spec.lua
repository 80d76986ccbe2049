-- Every public name of the real binary is declared in lua/luvd/types.lua, and every declared name is there.

local client = require "support.client"
local luvd = require "support.luvd"
local pages = require "make.pages"
local proc = require "support.proc"

-- Tables that a service writes itself, or gets with a reload: no object of the host stands for them.
local plain = { ["luvd.Service"] = true, ["luvd.Change"] = true, ["luvd.HttpObject"] = true, ["luvd.Answer"] = true }

local function is_plain(class)
  return plain[class.name] or class.name:match "Options$"
end

local function classes()
  local list = {}
  for _, item in ipairs(pages.declared().items) do
    -- luvd.testing is not there for a service: testing_spec looks at it.
    if item.kind == "class" and not item.name:find "^luvd%.testing" then list[#list + 1] = item end
  end
  return list
end

-- What objects written in Lua keep for themselves: nothing hides it.
local inner = { ["luvd.Response"] = { stream = true }, ["luvd.Router"] = { exact = true, mounted = true, root = true } }

-- "luvd.conn" is the metatable of "luvd.Conn", "luvd.http.request" that of "luvd.Request".
local function plain_name(name)
  return name:match "[^.]+$":lower():gsub("_", "")
end

-- config.names for the walker, as Lua.
local function names_wanted(list)
  local out = {}
  for _, class in ipairs(list) do
    local names = {}
    for _, things in ipairs(is_plain(class) and {} or { class.fields, class.functions }) do
      for _, thing in ipairs(things) do
        if not thing.key then names[#names + 1] = ("%q"):format(thing.name) end
      end
    end
    if #names > 0 then
      out[#out + 1] = ("[%q] = { %s },"):format(class.module or class.name, table.concat(names, ", "))
    end
  end
  return table.concat(out, " ")
end

-- What the walker has seen: { owner, key } lists by word.
local function walk(t, list)
  t:file(proc.slurp "spec/support/walker.lua", "walker.lua")
  local d = t:start(t:file(([[return {
  listen = { walk = "tcp://127.0.0.1:0", web = "tcp://127.0.0.1:0", datagrams = "udp://127.0.0.1:0" },
  files = { walk = { path = "./walk.txt", mode = "a" } },
  config = { names = { %s } },
  service = "./walker.lua",
}]]):format(names_wanted(list))))
  local answer = client.ask(d:address "walk", "")
  local log = d:log()
  d:stop()
  local seen = { module = {}, methods = {}, object = {}, name = {} }
  for word, owner, key, value in answer:gmatch "(%l+) (%S+) (%S+) ?(%S*)\n" do
    table.insert(seen[word], { owner = owner, key = key, value = value })
  end
  assert(#seen.module > 0 and #seen.methods > 0, "the walker has seen nothing: " .. log)
  return seen
end

-- Itself, or by what it inherits.
local function declares(list_of_all, class, key)
  for _, parent in ipairs(class.parents) do
    for _, other in ipairs(list_of_all) do
      if other.name == parent and declares(list_of_all, other, key) then return true end
    end
  end
  for _, list in ipairs { class.fields, class.functions } do
    for _, thing in ipairs(list) do
      if thing.name == key then return true end
    end
  end
  return false
end

-- The class of an owner, by the word under which the walker names it.
local function owner_of(list, word, owner)
  for _, class in ipairs(list) do
    if word == "module" and class.module == owner
      or word == "methods" and plain_name(class.name) == plain_name(owner)
      or word == "object" and class.name == owner then
      return class
    end
  end
end

local function undeclared(list, seen)
  local wrong = {}
  for _, word in ipairs { "module", "methods", "object" } do
    for _, one in ipairs(seen[word]) do
      local class = owner_of(list, word, one.owner)
      local known = class and (declares(list, class, one.key) or (inner[class.name] or {})[one.key])
      if not known then
        wrong[one.owner .. "." .. one.key .. " exists, and lua/luvd/types.lua does not declare it"] = true
      end
    end
  end
  return wrong
end

-- found: nil, true, or the type of what an object answers.
local function exists(thing, found)
  if not found or found == true then return found end
  if thing.params then return found == "function" end
  return found ~= "nil" or thing.optional or thing.type.optional
end

local function absent(list, seen)
  local there, wrong = {}, {}
  for _, word in ipairs { "module", "methods", "object" } do
    for _, one in ipairs(seen[word]) do
      local class = owner_of(list, word, one.owner)
      if class then there[class.name .. "." .. one.key] = true end
    end
  end
  for _, one in ipairs(seen.name) do
    local class = owner_of(list, "module", one.owner) or owner_of(list, "object", one.owner)
    local name = class.name .. "." .. one.key
    if one.value ~= "no" and there[name] ~= true then there[name] = one.value end
  end
  for _, class in ipairs(list) do
    for _, things in ipairs(is_plain(class) and {} or { class.fields, class.functions }) do
      for _, thing in ipairs(things) do
        if not thing.key and not exists(thing, there[class.name .. "." .. thing.name]) then
          wrong[("%s: %s.%s is declared, and does not exist (or spec/support/walker.lua shows no such object)")
            :format(thing.at, class.name, thing.name)] = true
        end
      end
    end
  end
  return wrong
end

describe("lua/luvd/types.lua", function()
  local list, seen
  before_each(function() list = classes() end)

  it("declares every name that a service can reach", luvd.test(function(t)
    seen = walk(t, list)
    assert.same({}, undeclared(list, seen))
  end))

  it("declares nothing that does not exist", luvd.test(function(t)
    seen = seen or walk(t, list)
    assert.same({}, absent(list, seen))
  end))

  it("is missed where it lacks a name, and where it has one too many", luvd.test(function(t)
    seen = seen or walk(t, list)
    local net
    for _, class in ipairs(list) do net = class.module == "luvd.net" and class or net end
    local serve = table.remove(net.functions, 1)
    assert.equal("luvd.net.serve exists, and lua/luvd/types.lua does not declare it", (next(undeclared(list, seen))))
    serve.name, serve.at = "answer", "here"
    table.insert(net.functions, serve)
    assert.matches("^here: luvd%.Net%.answer is declared, and does not exist", (next(absent(list, seen))))
  end))

  it("is missed where an object lacks what it declares", luvd.test(function(t)
    local wrong = { "Timer.stop", "Conn.send", "Host.domain", "Daemon.pid", "Channel.peek", "Request.user",
      "Stat.name" }
    for _, class in ipairs(list) do
      for _, name in ipairs(wrong) do
        if class.name == "luvd." .. name:match "%w+" then
          table.insert(class.fields, { name = name:match "%w+$", at = "here", type = {} })
        end
      end
    end
    local found = absent(list, walk(t, list))
    for _, name in ipairs(wrong) do
      local message, form = nil, "^here: luvd%%.%s is declared, and does not exist"
      for text in pairs(found) do message = text:match(form:format(name)) and text or message end
      assert.is_string(message, name)
      found[message] = nil
    end
    assert.same({}, found)
  end))
end)

describe("luvd help", function()
  it("describes every key of the daemon file, those below another too", luvd.test(function(t)
    local count = 0
    for key in proc.slurp "src/spec/fields.c":gmatch '{"([%w_%.]+)",' do
      local result = t:luvd { "help", key }
      assert.same({ 0, "" }, { result.code, result.err })
      assert.matches("^" .. key:gsub("%.", "%%.") .. "\n  [^\n]+ [^\n]+\n", result.out)
      count = count + 1
    end
    assert.is_true(count > 50)
  end))
end)

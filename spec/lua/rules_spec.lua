-- The rules of the house, by grep: who may include what, and what each file must have.

local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"

-- Every file below a folder, as paths.
local function walk(folder, found)
  found = found or {}
  for _, name in ipairs(proc.names(folder)) do
    local path = folder .. "/" .. name
    if uv.fs_stat(path).type == "directory" then walk(path, found) else found[#found + 1] = path end
  end
  return found
end

local function sources()
  local list = {}
  for _, path in ipairs(walk "src") do
    if path:match "%.[ch]$" then list[#list + 1] = path end
  end
  return list
end

-- Lines of a file that a pattern matches, as "path:line: text".
local function matches(path, pattern)
  local found, number = {}, 0
  for line in io.lines(path) do
    number = number + 1
    if line:match(pattern) then found[#found + 1] = ("%s:%d: %s"):format(path, number, line) end
  end
  return found
end

-- What breaks a rule: files for which allowed(path) is false and which have a matching line.
local function broken(pattern, allowed)
  local list = {}
  for _, path in ipairs(sources()) do
    if not allowed(path) then table.move(matches(path, pattern), 1, #matches(path, pattern), #list + 1, list) end
  end
  return list
end

local function within(...)
  local rooms = { ... }
  return function(path)
    for _, room in ipairs(rooms) do
      if path:find("^src/" .. room) then return true end
    end
    return false
  end
end

describe("the rooms", function()
  it("Lua is known only in service, and where the daemon file is read", function()
    assert.same({}, broken('^#%s*include%s+[<"]lua', within("service/", "spec/")))
  end)

  it("libuv is known only in service and host", function()
    assert.same({}, broken('^#%s*include%s+[<"]l?uv', within("service/", "host/")))
  end)

  it("calls that change a process are known only in sys", function()
    for _, header in ipairs { "sys/prctl", "sys/capability", "cap%-ng", "grp", "sys/mount", "sched", "sys/syscall",
      "sys/file", "linux/[%w_]+" } do
      assert.same({}, broken(("^#%%s*include%%s+<%s%%.h>"):format(header), function(path)
        -- spec/ turns names of groups and capabilities into numbers.
        return path:match "^src/sys/" or (header == "grp" or header == "cap%-ng") and path:match "^src/spec/"
      end))
    end
  end)

  it("systems are told apart only in sys", function()
    assert.same({}, broken("^#%s*if.*__linux__", within "sys/"))
    assert.same({}, broken("^#%s*if.*__FreeBSD__", within "sys/"))
  end)

  it("go one way: cmd, host, plan, sys; spec beside plan, service under host", function()
    local below = {
      sys = { "sys", "err", "text" },
      plan = { "plan", "sys", "spec", "err", "text" },
      spec = { "spec", "err", "text" },
      service = { "service", "plan", "sys", "spec", "err", "text" },
      host = { "host", "service", "plan", "sys", "spec", "err", "text" },
      unit = { "unit", "plan", "sys", "spec", "err", "text" },
    }
    for room, allowed in pairs(below) do
      for _, path in ipairs(walk("src/" .. room)) do
        for line in io.lines(path) do
          local included = line:match '^#%s*include%s+"([%w_]+)'
          local fine = not included or not line:find("/", 1, true)
          for _, name in ipairs(allowed) do fine = fine or included == name end
          assert.is_true(fine, path .. ": " .. line)
        end
      end
    end
  end)

  it("the step table has a file for every step, and every step a row", function()
    local rows = proc.slurp "src/plan/table.c"
    for _, path in ipairs(walk "src/plan") do
      local name = path:match "step_([%w_]+)%.c$"
      if name then assert.truthy(rows:find(name, 1, true), name .. " has no row") end
    end
  end)

  it("every function of sys.h carries its mark", function()
    local text = proc.slurp "src/sys/sys.h"
    for comment, name in text:gmatch "/%*([^/]-)%*/\n[^;/{}]-([%w_]+)%([^;]-%)" do
      if name:match "^sys_" then
        assert.truthy(comment:match "required:" or comment:match "optional:" or comment:match "ignored:",
          name .. " has no mark")
      end
    end
  end)
end)

describe("the files", function()
  it("promise nothing for later", function()
    local words = table.concat({ "TO" .. "DO", "FIX" .. "ME", "XX" .. "X" }, " ")
    for _, folder in ipairs { "src", "spec", "lua", "examples", "docs" } do
      for _, path in ipairs(walk(folder)) do
        for word in words:gmatch "%S+" do assert.same({}, matches(path, "%f[%w]" .. word .. "%f[%W]")) end
      end
    end
  end)

  it("end in a newline and have no space before one", function()
    for _, folder in ipairs { "src", "spec", "lua", "examples", "docs" } do
      for _, path in ipairs(walk(folder)) do
        if path:match "%.[ch]$" or path:match "%.lua$" or path:match "%.md$" then
          local text = proc.slurp(path)
          assert.equal("\n", text:sub(-1), path)
          assert.is_nil(text:match "[ \t]\n", path)
        end
      end
    end
  end)

  it("every C file of src is built", function()
    local list = proc.slurp "CMakeLists.txt"
    for _, path in ipairs(sources()) do
      if path:match "%.c$" then assert.truthy(list:find(path, 1, true), path .. " is not in CMakeLists.txt") end
    end
  end)

  it("every example has a daemon file of its name and a spec", function()
    local names = proc.names "examples"
    assert.is_true(#names >= 4)
    for _, name in ipairs(names) do
      assert.is_true(tree.exists(("examples/%s/%s.lua"):format(name, name)))
      assert.is_true(tree.exists(("examples/%s/%s_spec.lua"):format(name, name)))
    end
  end)

  it("the smallest example has at most twelve lines", function()
    local _, lines = proc.slurp("examples/hello/hello.lua"):gsub("\n", "")
    assert.is_true(lines <= 12)
  end)
end)

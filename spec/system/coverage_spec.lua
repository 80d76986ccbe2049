-- luvd test --coverage: which lines were run, as a summary and for lcov.

local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"

describe("luvd test --coverage", function()
  local function run(t, arguments)
    return t:luvd { "test", "-o", "TAP", "made_spec.lua", table.unpack(arguments) }
  end

  local function covered(t, arguments)
    tree.write(t.folder .. "/module.lua", [[
local module = {}

function module.choose(yes)
  if yes then
    return 1
  end
  return 2
end

function module.in_coroutine()
  return coroutine.wrap(function()
    coroutine.yield(3)
  end)()
end

function module.never(...)
  local text = "never"
  return text, ...
end

return module
]])
    tree.write(t.folder .. "/made_spec.lua", [[local module, task = require "module", require "luvd.task"
it("is tried", function()
  for _ = 1, 3 do assert.equal(1, module.choose(true)) end
  task.spawn(function() module.in_coroutine() end):wait()
end)]])
    return run(t, arguments)
  end

  local LINES = { [1] = 1, [3] = 1, [4] = 3, [5] = 3, [7] = 0, [10] = 1, [11] = 2, [12] = 1, [17] = 0, [18] = 0,
    [21] = 1 }

  -- The records of lcov: path -> { lines = { [line] = runs }, count, hit }.
  local function read(path)
    local files = {}
    for name, record in assert(proc.slurp(path)):gmatch "TN:\nSF:([^\n]+)\n(.-)end_of_record\n" do
      local file = { lines = {}, count = tonumber(record:match "LF:(%d+)"), hit = tonumber(record:match "LH:(%d+)") }
      for line, runs in record:gmatch "DA:(%d+),(%d+)\n" do file.lines[tonumber(line)] = tonumber(runs) end
      files[name] = file
    end
    return files
  end

  it("counts the lines that were run, and those that were not, in all coroutines", luvd.test(function(t)
    local result = covered(t, { "--coverage" })
    assert.equal("ok 1 - is tried\n1..1\n", result.out, result.err)
    assert.equal(0, result.code)
    local files = read(t.folder .. "/lcov.info")
    local file = files[t.folder .. "/module.lua"]
    for line, runs in pairs(LINES) do assert.same({ line, runs }, { line, file.lines[line] }) end
    local count, hit = 0, 0
    for _, runs in pairs(file.lines) do count, hit = count + 1, hit + (runs > 0 and 1 or 0) end
    assert.same({ count, hit }, { file.count, file.hit })
    assert.equal(t.folder .. "/module.lua", next(files))
    assert.is_nil(next(files, t.folder .. "/module.lua"))
  end))

  it("prints a summary, also of a run that fails", luvd.test(function(t)
    local result = covered(t, { "--coverage=other.info" })
    assert.matches("^coverage: %d+%.%d %% of %d+ lines, in " .. t.folder:gsub("%p", "%%%0") .. "/other.info\n"
      .. " +%d+%.%d %% +%d+ of +%d+  module%.lua\n$", result.err)
    tree.write(t.folder .. "/made_spec.lua", 'require "module" it("fails", function() error "x" end)')
    result = run(t, { "--coverage" })
    assert.equal(1, result.code)
    assert.matches("^coverage: ", result.err)
  end))

  it("says why its file cannot be written", luvd.test(function(t)
    assert.matches("luvd: test: cannot write the coverage: /nowhere/x: No such file or directory\n",
      covered(t, { "--coverage=/nowhere/x" }).err)
  end))
end)

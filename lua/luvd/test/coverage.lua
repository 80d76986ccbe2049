-- `luvd test --coverage`: which lines of the files below the current folder the tests have run, as a file for lcov's
-- tools and as a summary.

local uv, native, lines = require "uv", require "luvd.test.native", require "luvd.test.lines"

local coverage = {}

-- Specs are not what is tested.
local function is_wanted(path, root)
  return path:sub(1, #root + 1) == root .. "/" and not path:find "_spec%.lua$"
end

local function measure(path, runs)
  local code = lines.of(path)
  if not code then return nil end
  local file = { path = path, lines = {}, hit = 0 }
  for line in pairs(code) do file.lines[#file.lines + 1] = line end
  table.sort(file.lines)
  file.runs = runs
  for _, line in ipairs(file.lines) do
    if runs[line] then file.hit = file.hit + 1 end
  end
  return file
end

--- What was run so far of the files below root, in the order of their names.
function coverage.files(root)
  local files = {}
  for path, runs in pairs(native.lines()) do
    files[#files + 1] = is_wanted(path, root) and measure(path, runs) or nil
  end
  table.sort(files, function(a, b) return a.path < b.path end)
  return files
end

local function write_file(out, file)
  out:write("TN:\nSF:", file.path, "\n")
  for _, line in ipairs(file.lines) do out:write(("DA:%d,%d\n"):format(line, file.runs[line] or 0)) end
  out:write(("LF:%d\nLH:%d\nend_of_record\n"):format(#file.lines, file.hit))
end

local function write(path, files)
  local out, message = io.open(path, "w")
  if not out then return nil, message end
  for _, file in ipairs(files) do write_file(out, file) end
  return out:close()
end

local function share(hit, count) return count == 0 and 100 or 100 * hit / count end

local function print_summary(out, path, root, files)
  local hit, count = 0, 0
  for _, file in ipairs(files) do hit, count = hit + file.hit, count + #file.lines end
  out:write(("coverage: %.1f %% of %d lines, in %s\n"):format(share(hit, count), count, path))
  for _, file in ipairs(files) do
    local name = file.path:sub(#root + 2)
    out:write(("  %5.1f %%  %4d of %4d  %s\n"):format(share(file.hit, #file.lines), file.hit, #file.lines, name))
  end
end

--- Begins to count. What was counted is written to path when busted leaves; root is the folder that it runs in then.
function coverage.begin(core, path)
  if path:sub(1, 1) ~= "/" then path = uv.cwd() .. "/" .. path end
  native.count_lines()
  core.subscribe({ "exit" }, function()
    local root = uv.cwd()
    local files = coverage.files(root)
    local right, message = write(path, files)
    if right then
      print_summary(io.stderr, path, root, files)
    else
      io.stderr:write("luvd: test: cannot write the coverage: ", message, "\n")
    end
    return nil, true
  end)
end

return coverage

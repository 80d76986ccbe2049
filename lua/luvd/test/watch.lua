-- `luvd test --watch`: runs the tests, and again whenever a file of Lua below the current folder changes. Each run is a
-- process of its own, so that nothing is left over from the one before.

local luvd, uv = require "luvd", require "uv"

local FOLDERS_MAX = 2000
local SETTLE = "100ms" -- editors write a file in several steps

-- Calls fn(path, type, stat) for what is below folder, but for hidden folders; returns how many folders there are.
local function walk(folder, on_folder, on_file, count)
  if count >= FOLDERS_MAX then return count end
  count = count + 1
  on_folder(folder)
  local request = uv.fs_scandir(folder)
  while request do
    local name, type = uv.fs_scandir_next(request)
    if not name then break end
    local path = folder .. "/" .. name
    if type == "directory" and name:sub(1, 1) ~= "." then
      count = walk(path, on_folder, on_file, count)
    elseif type == "file" and (name:find "%.lua$" or name == ".busted") then
      on_file(path)
    end
  end
  return count
end

-- What the files looked like: path -> text that a change changes.
local function snapshot()
  local folders, files = {}, {}
  walk(".", function(path) folders[#folders + 1] = path end, function(path)
    local stat = uv.fs_stat(path)
    if stat then files[path] = ("%d.%09d %d %d"):format(stat.mtime.sec, stat.mtime.nsec, stat.size, stat.ino) end
  end, 0)
  return files, folders
end

local function differs(one, other)
  for path, look in pairs(one) do
    if other[path] ~= look then return true end
  end
  for path in pairs(other) do
    if not one[path] then return true end
  end
  return false
end

-- Begins to watch the folders; gives a function that waits for something to happen in one of them, and one that ends.
local function watch(folders)
  local watchers, happened = {}, false
  for i, folder in ipairs(folders) do
    watchers[i] = uv.new_fs_event()
    local right, message = watchers[i]:start(folder, {}, function() happened = true end)
    if not right then error(("cannot watch '%s': %s"):format(folder, message), 0) end
  end
  local function wait()
    while not happened do uv.run "once" end
    luvd.sleep(SETTLE)
    happened = false
  end
  local function close()
    for _, watcher in ipairs(watchers) do watcher:close() end
  end
  return wait, close
end

-- Files that a test makes and removes again are no change: while it ran only those count that were there before.
local function changed_meanwhile(before, now)
  for path, look in pairs(before) do
    if now[path] ~= look then return true end
  end
  return false
end

local function wait_for_change(before)
  local base, folders = snapshot()
  if changed_meanwhile(before, base) then return end
  local wait, close = watch(folders)
  while not differs(base, (snapshot())) do wait() end
  close()
end

local function without_watch(words)
  local rest = { "test" }
  for _, word in ipairs(words) do
    if word ~= "--watch" then rest[#rest + 1] = word end
  end
  return rest
end

local process -- of the run that goes on

-- Whoever ends us ends the run too.
local function leave_on(name, number)
  uv.new_signal():start(name, function()
    if process then process:kill(name) end
    os.exit(128 + number)
  end)
end

local function run(words)
  local code, pid
  process, pid = uv.spawn("/proc/self/exe", { args = words, stdio = { 0, 1, 2 } }, function(status, signal)
    code = signal ~= 0 and 128 + signal or status
  end)
  if not process then error("cannot run the tests: " .. tostring(pid), 0) end
  while not code do uv.run "once" end
  process:close()
  process = nil
  return code
end

return function(words)
  words = without_watch(words)
  leave_on("sigint", 2)
  leave_on("sigterm", 15)
  while true do
    local before = snapshot()
    local code = run(words)
    local text = code == 0 and "passed" or "failed"
    io.stderr:write("luvd: test: ", text, "; waiting for a change of a file, Ctrl-C ends\n")
    wait_for_change(before)
  end
end

-- Programs that a spec starts: their output, their end, and that none of them stays.

local loop = require "support.loop"
local uv = require "luv"

local process = {}

---@class support.child
---@field pid integer
---@field out string what it has written to its standard output so far
---@field err string
---@field code integer|nil exit code, once it has ended
---@field signal integer|nil the signal that ended it, or 0
local child = {}
child.__index = child

local children = {}

-- Reads a pipe into self[field] until its end.
local function collect(self, field, pipe)
  self.open = self.open + 1
  pipe:read_start(function(failure, bytes)
    if bytes and not failure then
      self[field] = self[field] .. bytes
      return
    end
    self.open = self.open - 1
    if not pipe:is_closing() then pipe:close() end
  end)
end

-- The program gets a small, known environment unless the spec says otherwise.
process.environment = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8" }
for _, name in ipairs { "ASAN_OPTIONS", "UBSAN_OPTIONS" } do
  if os.getenv(name) then table.insert(process.environment, name .. "=" .. os.getenv(name)) end
end

-- With options.files output goes to two files, not through pipes: for what outlives the child
-- and keeps its descriptors on purpose.
local function to_files(self, options)
  self.files = {}
  local stdio = {}
  for fd, field in ipairs { "out", "err" } do
    self.files[field] = assert(uv.fs_open(options.files .. "." .. field, "w+", tonumber("600", 8)))
    stdio[fd + 1] = self.files[field]
  end
  return stdio
end

local function close_files(self)
  for field, fd in pairs(self.files or {}) do
    self[field] = uv.fs_read(fd, uv.fs_fstat(fd).size, 0)
    uv.fs_close(fd)
  end
  self.files = nil
end

local function streams(self, options)
  if options.files then return to_files(self, options) end
  local stdin, stdout, stderr = uv.new_pipe(false), uv.new_pipe(false), uv.new_pipe(false)
  local stdio = { stdin, stdout, stderr }
  for fd, stream in pairs(options.descriptors or {}) do stdio[fd + 1] = stream end
  self.stdin, self.pipes = stdin, { stdin, stdout, stderr }
  return stdio, stdout, stderr
end

--- Starts a program.
---@param arguments string[] the program first
---@param options? { env?: string[], more_env?: string[], cwd?: string, uid?: integer, gid?: integer,
---  descriptors?: table<integer, any>, unread?: boolean, files?: string, detached?: boolean }
---@return support.child
function process.spawn(arguments, options)
  options = options or {}
  local self = setmetatable({ out = "", err = "", open = 0, arguments = arguments }, child)
  local env = table.move(options.env or process.environment, 1, #(options.env or process.environment), 1, {})
  for _, entry in ipairs(options.more_env or {}) do env[#env + 1] = entry end
  local stdio, stdout, stderr = streams(self, options)
  local handle, pid = uv.spawn(arguments[1], {
    args = table.move(arguments, 2, #arguments, 1, {}),
    stdio = stdio, env = env, cwd = options.cwd, uid = options.uid, gid = options.gid, detached = options.detached,
  }, function(code, signal)
    self.code, self.signal = math.tointeger(code), math.tointeger(signal)
    self.handle:close()
    close_files(self)
    children[self] = nil
  end)
  if not handle then
    close_files(self)
    for _, pipe in ipairs(self.pipes or {}) do pipe:close() end
    error(("cannot start %s: %s"):format(arguments[1], pid), 2)
  end
  self.handle, self.pid = handle, math.tointeger(pid)
  children[self] = true
  if not options.unread and not options.files then
    collect(self, "out", stdout)
    collect(self, "err", stderr)
  end
  return self
end

--- Starts a program and waits until it has ended and all its output is read: a descriptor
--- that a daemon keeps of it shows here as a hang.
function process.run(arguments, options)
  return process.spawn(arguments, options):wait(options and options.within)
end

function child:__tostring()
  return table.concat(self.arguments, " ")
end

function child:wait(within)
  self:close_stdin()
  loop.wait_for("the end of " .. tostring(self), function() return self.code and self.open == 0 end, within)
  return self
end

--- Waits for its end alone: others may still hold its output.
function child:wait_exit(within)
  loop.wait_for("the exit of " .. tostring(self), function() return self.code end, within)
  return self
end

function child:wait_output(field, pattern, within)
  return loop.wait_for(("%q of %s, which has said: %s"):format(pattern, tostring(self), self[field]), function()
    return self[field]:match(pattern)
  end, within)
end

function child:write(bytes)
  self.stdin:write(bytes)
end

function child:close_stdin()
  if self.stdin and not self.stdin:is_closing() then self.stdin:close() end
end

--- Reads from now on what an unread child writes.
function child:read()
  collect(self, "out", self.pipes[2])
  collect(self, "err", self.pipes[3])
end

function child:kill(signal)
  if not self.code then self.handle:kill(signal or "sigterm") end
end

--- Ends all that still run and closes their pipes; returns what they were.
function process.finish()
  local left = {}
  for one in pairs(children) do
    left[#left + 1] = ("%s (pid %d)"):format(tostring(one), one.pid)
    one:kill "sigkill"
  end
  loop.poll(function() return not next(children) end)
  loop.drain()
  return left
end

return process

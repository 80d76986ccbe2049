-- A process that a test has started from this luvd's own binary: its output, its end.

local luvd = require "luvd"
local task = require "luvd.task"
local uv = require "uv"

local child = {}

-- What a service manager has told this process is not for a daemon under test.
local ours = { NOTIFY_SOCKET = true, LISTEN_PID = true, LISTEN_FDS = true, LISTEN_FDNAMES = true, WATCHDOG_PID = true,
  WATCHDOG_USEC = true, JOURNAL_STREAM = true, INVOCATION_ID = true }

local function environment()
  local list = {}
  for name, value in pairs(uv.os_environ()) do
    if not ours[name] then list[#list + 1] = name .. "=" .. value end
  end
  return list
end

-- A pipe: the end that is read from, which does not keep the script alive, and the descriptor of the other.
local function pipe(take)
  local fds = assert(uv.pipe())
  local reader = uv.new_pipe(false)
  assert(reader:open(fds.read))
  reader:read_start(function(failure, bytes)
    if not bytes or failure then reader:close() end
    take(bytes)
  end)
  reader:unref()
  return reader, fds.write
end

---@class luvd.testing.Child
---@field pid integer
---@field code integer|nil exit code, once it has ended
---@field signal integer|nil the signal that has ended it, or 0
---@field private open integer how much of it may still tell something
local Child = {}
Child.__index = Child

local function wake(self)
  for channel in pairs(self.waiting) do channel:try_send(true) end
end

-- Of what it may still tell, one thing is over: its end, or a pipe.
local function close(self)
  self.open = self.open - 1
  if self.open == 0 and self.ended then self.ended() end
end

--- Runs `luvd` with these arguments. take(bytes): what it writes to its standard output and error; options.out: to
--- its output alone. options.notify(): it has written to descriptor 3. options.ended(): it has ended, and no more
--- will come.
---@param arguments string[]
---@param take fun(bytes: string)
---@param options? { out: function?, notify: function?, ended: function? }
---@return luvd.testing.Child
function child.spawn(arguments, take, options)
  options = options or {}
  local self = setmetatable({ waiting = {}, open = 1, readers = {}, ended = options.ended }, Child)
  local function collect(to)
    self.open = self.open + 1
    local reader, fd = pipe(function(bytes)
      if bytes then to(bytes) else close(self) end
      wake(self)
    end)
    table.insert(self.readers, reader)
    return fd
  end
  local err = collect(take)
  local out = options.out and collect(options.out) or err
  local fds = { out, err, options.notify and collect(options.notify) }
  -- /proc/self/exe: the binary that runs, also when another one lies in its place by now.
  self.handle, self.pid = uv.spawn("/proc/self/exe", { args = arguments, env = environment(),
    stdio = { nil, table.unpack(fds, 1, 3) } }, function(code, signal)
    self.code, self.signal = code, signal
    self.handle:close()
    close(self)
    wake(self)
  end)
  local closed = {}
  for _, fd in pairs(fds) do
    if not closed[fd] then uv.fs_close(fd) end
    closed[fd] = true
  end
  if not self.handle then
    for _, reader in ipairs(self.readers) do reader:close() end
    error("cannot run luvd: " .. tostring(self.pid), 0)
  end
  self.handle:unref()
  return self
end

--- Waits until condition() is true, at most within seconds (nil: as long as it takes). Looks at it whenever the child
--- has written or ended.
---@param condition fun(): any
---@param within? number
---@return boolean
function Child:wait(condition, within)
  local deadline = within and luvd.now() + within
  local channel = task.channel(1)
  self.waiting[channel] = true
  local running = not self.code
  if running then self.handle:ref() end -- else nothing might be left that the loop waits for
  local leave <close> = task.defer(function()
    self.waiting[channel] = nil
    if running and not self.handle:is_closing() and next(self.waiting) == nil then self.handle:unref() end
  end)
  while not condition() do
    local left = deadline and deadline - luvd.now()
    if left and left <= 0 then return false end
    channel:receive { timeout = left }
  end
  return true
end

--- Waits for its end, and a second for what it has written last: whoever it has left behind may keep that open.
---@param within? number seconds; nil: as long as it takes
---@return boolean it has ended
function Child:wait_end(within)
  if not self:wait(function() return self.code end, within) then return false end
  self:wait(function() return self.open <= 0 end, 1)
  return true
end

--- Sends it a signal, unless it has ended.
---@param name string|integer "sigterm"
---@return boolean
function Child:kill(name)
  if self.code then return false end
  self.handle:kill(name)
  return true
end

--- Lets go of it without waiting: it ends at once.
function Child:abandon()
  if not self.code and not self.handle:is_closing() then self:kill "sigquit" end
  for _, reader in ipairs(self.readers) do
    if not reader:is_closing() then
      reader:close()
      self.open = self.open - 1 -- nothing more is read from it
    end
  end
end

return child

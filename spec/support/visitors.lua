-- Clients of an HTTP service that ask again and again while something else happens to it, and notice what is lost: no
-- or a partial answer on a fresh connection, or on a kept one after the first byte of an answer.

local uv = require "luv"

local visitors = {}
visitors.__index = visitors

local function host_and_port(address)
  local host, port = address:match "^tcp://%[?([^%]]*)%]?:(%d+)$"
  return host, math.tointeger(tonumber(port))
end

local visit

local function lose(self, why)
  self.lost[#self.lost + 1] = why
end

-- The whole answer at the beginning of bytes, whether the connection goes on, and what follows it; nil: not yet whole.
local function take_answer(bytes)
  local head, at = bytes:match "^(.-\r\n)\r\n()"
  if not head then return nil end
  local length = math.tointeger(tonumber(head:lower():match "\r\ncontent%-length: (%d+)\r\n"))
  if #bytes < at - 1 + length then return nil end
  return head, not head:lower():find("\r\nconnection: close\r\n", 1, true), bytes:sub(at + length)
end

local function close(one)
  if not one.socket:is_closing() then one.socket:close() end
end

local function ask(one)
  one.received = ""
  one.waiting = true
  local connection = one.keep and "" or "Connection: close\r\n"
  one.socket:write(("GET / HTTP/1.1\r\nHost: test\r\n%s\r\n"):format(connection))
end

local function answered(self, one, head, goes_on)
  one.waiting, one.asked = false, one.asked + 1
  self.count = self.count + 1
  if not head:find("^HTTP/1%.1 200 ") then lose(self, "an answer: " .. head:match "^[^\r]*") end
  if one.keep and goes_on and not self.over then
    ask(one)
  else
    close(one)
    visit(self, one.keep)
  end
end

local function ended(self, one, problem)
  close(one)
  if one.waiting and (one.asked == 0 or one.received ~= "") then
    lose(self, ("%s connection, request %d, after %d bytes: %s"):format(one.keep and "a kept" or "a fresh",
      one.asked + 1, #one.received, problem or "closed"))
  end
  visit(self, one.keep)
end

visit = function(self, keep)
  if self.over then
    self.open = self.open - 1
    return
  end
  local one = { socket = uv.new_tcp(), keep = keep, asked = 0, received = "" }
  one.socket:connect(self.host, self.port, function(problem)
    -- The test has failed and its loop is drained: who came again would keep it for ever.
    if problem == "ECANCELED" then self.over = true end
    if problem then
      lose(self, "no connection: " .. problem)
      close(one)
      return visit(self, keep)
    end
    ask(one)
    one.socket:read_start(function(failure, bytes)
      if not bytes then return ended(self, one, failure) end
      one.received = one.received .. bytes
      local head, goes_on = take_answer(one.received)
      if head then answered(self, one, head, goes_on) end
    end)
  end)
end

--- Begins to ask: kept clients keep their connection, fresh ones have a new one for each request. They run whenever the
--- loop of the specs does.
function visitors.start(address, kept, fresh)
  local self = setmetatable({ count = 0, lost = {}, open = kept + fresh }, visitors)
  self.host, self.port = host_and_port(address)
  for _ = 1, kept do visit(self, true) end
  for _ = 1, fresh do visit(self, false) end
  return self
end

--- Lets each have the answer that it waits for. Returns how many were answered, and the list of what was lost.
function visitors:finish()
  self.over = true
  require "support.loop".wait_for("the last answers", function() return self.open == 0 end)
  return self.count, self.lost
end

return visitors

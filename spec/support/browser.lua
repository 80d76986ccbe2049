-- A real browser without a window, led over the pipe of its DevTools protocol.

local json = require "dkjson"
local loop = require "support.loop"
local uv = require "luv"

local browser = {}

for _, path in ipairs { "/usr/bin/chromium-headless-shell", "/usr/bin/chromium" } do
  if not browser.binary and uv.fs_stat(path) then browser.binary = path end
end

---@class support.browser
local page = {}
page.__index = page

-- Messages are JSON, each ended by a NUL byte.
local function take(self, bytes)
  self.received = self.received .. bytes
  for message in self.received:gmatch "([^%z]*)%z" do
    local value = json.decode(message)
    if value.id then self.answers[value.id] = value end
  end
  self.received = self.received:match "[^%z]*$"
end

--- Calls a method of the protocol and returns its result.
function page:call(method, params)
  self.last = self.last + 1
  local id = self.last
  local message = { id = id, method = method, params = params, sessionId = self.session }
  self.commands:write(json.encode(message) .. "\0")
  loop.wait_for(method .. " of the browser, which has said: " .. self.child.err, function()
    return self.answers[id] or self.child.code and error("the browser has ended: " .. self.child.err, 0)
  end)
  local answer = self.answers[id]
  self.answers[id] = nil
  if answer.error then error(("%s: %s"):format(method, answer.error.message), 2) end
  return answer.result
end

--- The value of an expression in the page; a promise is waited for.
function page:eval(expression)
  local result = self:call("Runtime.evaluate", { expression = expression, awaitPromise = true, returnByValue = true })
  if result.exceptionDetails then
    error(("%s: %s"):format(expression, json.encode(result.exceptionDetails)), 2)
  end
  return result.result.value
end

--- Waits until an expression is true, looking again at every change of the document, and returns its value.
function page:wait(expression, within)
  return self:eval(([[new Promise((resolve, reject) => {
    const look = () => { const value = (%s); if (value) { observer.disconnect(); resolve(value); } };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    setTimeout(() => reject("in vain, the page is: " + document.body.innerText), %d);
    look();
  })]]):format(expression, within or 15000))
end

function page:close()
  self.commands:write(json.encode { id = 0, method = "Browser.close" } .. "\0")
  self.child:wait()
end

--- Opens a page; its binary may be missing: browser.binary is nil then.
---@return support.browser
function browser.open(t, url)
  local self = setmetatable({ received = "", answers = {}, last = 0 }, page)
  local events = uv.new_pipe(false)
  self.commands = uv.new_pipe(false)
  -- The sandbox of the browser wants a user other than root.
  self.child = t:spawn({ browser.binary, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe",
    "--user-data-dir=" .. t.folder .. "/browser" },
    { descriptors = { [3] = self.commands, [4] = events }, more_env = { "HOME=" .. t.folder } })
  events:read_start(function(_, bytes)
    if bytes then take(self, bytes) end
  end)
  local target = self:call("Target.createTarget", { url = "about:blank" })
  self.session = self:call("Target.attachToTarget", { targetId = target.targetId, flatten = true }).sessionId
  self:call("Page.navigate", { url = url })
  self:wait "document.readyState === 'complete'"
  return self
end

return browser

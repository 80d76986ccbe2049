-- Correct clients that count what is lost (load.c), and a daemon for them whose answers say which daemon file and which
-- code are in force.

local assert = require "luassert"
local http = require "support.http"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"

local load = {}

-- --- the daemon ---

local service = [[
local http = require "luvd.http"
return {
  start = function(daemon)
    %s
    http.serve(daemon.listeners.web, function(request)
      %s
      return ("%%d %d\n"):format(daemon.config.number)
    end)
  end,
  reload = function() end,
}
]]

--- Writes the service; version is what it answers second. start and handler: Lua that runs there first.
function load.code(t, version, start, handler)
  return t:file(service:format(start or "", handler or "", version), "answers.lua")
end

--- Writes the daemon file; number is what is answered first. keys: more lines of it.
function load.file(t, number, keys)
  return t:file(([[
return {
  service = "./answers.lua", config = { number = %d },
  %s
}
]]):format(number, keys))
end

--- The usual keys: workers, confined, reuseport, and more lines.
function load.keys(options)
  return ("workers = %d, listen = { web = { address = 'tcp://127.0.0.1:0', reuseport = %s } }, user = %s, %s"):format(
    options.workers or 1, options.reuseport or false,
    options.confined and "'nobody', chroot = 'auto'" or luvd.root and "'root'" or "nil", options.more or "")
end

--- All different answers of so many fresh connections.
function load.answers(d, count)
  return load.answers_at(d:address(), count)
end

function load.answers_at(address, count)
  local seen, list = {}, {}
  for _ = 1, count do
    local body = http.ask(address, "GET /").body
    if not seen[body] then list[#list + 1] = body end
    seen[body] = true
  end
  return list
end

--- Its log has nothing from a sanitizer, nor a line with one of the words; one that has the text of except may.
function load.assert_clean(d, words, except)
  for line in d:log():gmatch "[^\n]+" do
    for _, wrong in ipairs { "Sanitizer", "runtime error", table.unpack(words or {}) } do
      assert.falsy(line:find(wrong, 1, true) and not (except and line:find(except, 1, true)), line)
    end
  end
end

-- --- the clients ---

--- Starts clients: { kept, fresh, pause } as load.c says, which ask until the end of load.over.
function load.begin(t, d, options)
  options = options or {}
  local child = t:spawn { luvd.helpers .. "/load", "-k", tostring(options.kept or 8), "-f",
    tostring(options.fresh or 8), "-p", tostring(options.pause or 2), "127.0.0.1", d:address():match ":(%d+)$" }
  local answered = loop.poll(function() return child.out:match "new %d+" end)
  if not answered then error(("no answer: %s\n%s"):format(child.out, d:log():sub(-2000)), 2) end
  return child
end

--- The greatest number that an answer had so far.
function load.newest(child)
  return math.tointeger(tonumber(child.out:match ".*new (%d+)" or "-1"))
end

--- Ends the clients when each has its last answer: { answers, repeated, last, lost }.
function load.over(child)
  child:wait()
  assert.equal(0, child.code, child.err)
  local found = {}
  for key, count in child.out:match("over ([^\n]*)\n"):gmatch "(%w+)=(%d+)" do found[key] = tonumber(count) // 1 end
  assert.is_true(found.answers > 0)
  return found
end

--- The same, and nothing may be lost.
function load.assert_none_lost(child)
  local found = load.over(child)
  assert.equal(0, found.lost, child.out)
  return found
end

-- --- reloads ---

--- Sends a HUP and waits for the next verdict in the log; a refusal is an error.
function load.hup(t, d)
  local at = #d:log() + 1
  d:signal "sighup"
  local verdict = loop.poll(function()
    local log = d:log()
    local refused = log:match("reload refused: [^\n]*", at)
    if refused then error(refused, 0) end
    return log:find("[%dd] in %d+ ms: [^\n]*\n", at) -- "generation 7 in 20 ms: ", "reloaded in 5 ms: "
  end)
  if not verdict then
    error(("no verdict: %s\n%s"):format(t:luvd({ "status", d.file, "--json" }).out, d:log():sub(-2000)), 2)
  end
end

-- --- what a daemon needs ---

-- Without what libuv keeps to close a connection with when there are no more, from the first one it accepts on.
local function descriptors(pid)
  local count = 0
  for _, name in pairs(proc.descriptors(pid)) do
    if name ~= "/dev/null" then count = count + 1 end
  end
  return count
end

-- The connection of `status` may still be there.
local function least_descriptors(pid)
  local least = math.huge
  loop.poll(function() least = math.min(least, descriptors(pid)) end, 30)
  return least
end

--- What processes have once nobody is connected and nothing drains: descriptors of each by its name, resident KiB of
--- the monitor and of all workers, since it is chance how many clients each has had.
function load.needs(d, workers)
  local status
  loop.wait_for("a daemon at rest", function()
    status = d:status()
    for _, listener in ipairs(status.listeners) do if listener.connections > 0 then return false end end
    return #status.workers == workers
  end)
  local found = { descriptors = { monitor = least_descriptors(d.pid) },
    resident = { monitor = proc.resident(d.pid), workers = 0 } }
  for _, one in ipairs(status.workers) do
    local pid = math.tointeger(one.pid)
    found.descriptors["worker " .. one.number] = least_descriptors(pid)
    found.resident.workers = found.resident.workers + proc.resident(pid)
  end
  return found
end

return load

-- Thousands of clients that behave badly (storm.c), a daemon for them, and one client that behaves well.

local assert = require "luassert"
local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local uv = require "luv"

local storm = {}

--- Milliseconds that an answer may take meanwhile.
storm.SLOWEST = 3000 * tonumber(os.getenv "LUVD_PATIENCE" or "1")

-- --- the numbers ---

-- As many as wanted, less where descriptors are few (each end of a connection is one, in the daemon and in the storm)
-- or slow to serve (sanitizers). Nil and the reason when there are too few.
function storm.clients(wanted)
  local _, hard = proc.limit(uv.os_getpid(), "Max open files")
  local room = (math.tointeger(tonumber(hard)) or math.maxinteger) - 200
  if room < 400 then return nil, ("needs 600 descriptors, the limit is %s"):format(hard) end
  local count = math.min(luvd.sanitized and wanted // 8 or wanted, room)
  if count < wanted and not luvd.sanitized then
    io.stderr:write(("# %d clients instead of %d: the limit of descriptors is %s\n"):format(count, wanted, hard))
  end
  return count
end

-- --- the daemon ---

local service = [[
local luvd, http, net, uv = require "luvd", require "luvd.http", require "luvd.net", require "luv"
local page, piece, running = ("x"):rep(1 << 20), ("x"):rep(1 << 16), 0

-- What only the service can count.
local function census()
  local references, coroutines, handles = 0, 0, 0
  collectgarbage()
  collectgarbage()
  for key, value in pairs(debug.getregistry()) do
    if type(value) == "thread" then
      coroutines = coroutines + 1
    elseif type(key) ~= "number" or type(value) ~= "number" then -- a number is a free place
      references = references + 1
    end
  end
  uv.walk(function() handles = handles + 1 end)
  return ("census references=%%d coroutines=%%d handles=%%d memory=%%d\n")
    :format(references, coroutines, handles, 1024 * collectgarbage "count" // 1)
end

local function run(daemon)
  running = running + 1
  if running == daemon.config.run then luvd.log:info "all run" end
  luvd.sleep "500ms"
  return "slow\n"
end

local function answer(daemon, request)
  if request.method == "POST" then return request:body() end
  if request.path == "/large" then return page end
  if request.path == "/stream" then return { body = function() return piece end } end
  if request.path == "/census" then return census() end
  if request.path == "/slow" then return run(daemon) end
  return "small\n"
end

local function converse(conn)
  for line in conn:lines() do
    if line == "census" then conn:write(census())
    elseif line == "large" then conn:write(piece)
    else conn:write { line, "\n" } end
  end
end

return {
  listen = { web = { address = "tcp://127.0.0.1:0", %s } },
  limits = { nofile = %s },
  timeouts = { stop = "%s" },
  config = { run = %d },
  service = { start = function(daemon)
    %s
  end },
}]]

--- options: serve and listen, further fields in their tables; nofile (false: as it is), stop, run.
local function file(t, options, start)
  local _, most = proc.limit(uv.os_getpid(), "Max open files")
  local nofile = options.nofile == nil and ("%.0f"):format(tonumber(most) or 1 << 20) or options.nofile or nil
  return t:file(service:format(options.listen or "", nofile, options.stop or "30s", options.run or 0, start))
end

function storm.http(t, options)
  return file(t, options, ("http.serve(daemon.listeners.web, function(r) return answer(daemon, r) end, { %s })")
    :format(options.serve or ""))
end

function storm.net(t, options)
  return file(t, options, "net.serve(daemon.listeners.web, converse)")
end

function storm.get(path)
  return ("GET %s HTTP/1.1\r\nHost: here\r\n\r\n"):format(path)
end

function storm.post(headers, body)
  return ("POST / HTTP/1.1\r\nHost: here\r\n%s\r\n\r\n%s"):format(headers, body or "")
end

-- How each protocol is asked, and what the answers are.
storm.lines = { polite = "hi\n", answer = "hi", census = "census\n" }
storm.requests = { polite = storm.get "/", answer = "small", census = storm.get "/census" }

-- --- the storm ---

--- modes: { "trickle", 4000, ... }; options: the storm's own, { "-r", ... }.
function storm.rage(t, d, modes, options)
  local line = { luvd.helpers .. "/storm", table.unpack(options or {}) }
  for _, word in ipairs { "127.0.0.1", d:address():match ":(%d+)$", table.unpack(modes) } do
    line[#line + 1] = tostring(word)
  end
  return t:spawn(line)
end

-- What has become of its clients: { ["200"] = 12, cut = 3, ... }; nil while some are still there.
function storm.outcome(child)
  local text, found = child.out:match "over ([^\n]*)\n", {}
  for kind, count in (text or ""):gmatch "(%w+)=(%d+)" do found[kind] = math.tointeger(tonumber(count)) end
  return text and setmetatable(found, { __index = function() return 0 end })
end

function storm.wait_over(child)
  loop.wait_for("the end of " .. tostring(child), function() return storm.outcome(child) end)
  child:wait()
  assert.equal(0, child.code, child.err)
  return storm.outcome(child)
end

-- Asks until condition() holds, on a connection that is kept and on new ones. Each answer must come in time.
function storm.ask_until(d, way, condition)
  local address, slowest = d:address(), 0
  local kept = client.connect(address)
  local function ask(conn)
    local begin = loop.now()
    conn:write(way.polite)
    repeat
      local line = assert(conn:read_line(storm.SLOWEST), "a connection was closed without an answer")
    until line == way.answer
    slowest = math.max(slowest, loop.now() - begin)
  end
  repeat
    ask(kept)
    local begin = loop.now()
    local fresh = client.connect(address, storm.SLOWEST)
    slowest = math.max(slowest, loop.now() - begin)
    ask(fresh)
    fresh:close()
  until loop.poll(condition, 50)
  kept:close()
  assert.is_true(slowest < storm.SLOWEST, ("an answer took %d ms"):format(slowest))
end

return storm

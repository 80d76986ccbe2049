-- The load generator (load/load.c), on its own core.

local json = require "dkjson"
local loop = require "support.loop"
local place = require "bench.place"
local process = require "support.process"

local load = {}

local BROWSER = {
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
  "Accept-Language: en-US,en;q=0.5",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Referer: http://127.0.0.1/start/page.html",
  "Connection: keep-alive",
  "Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; seen=1732286400",
  "Upgrade-Insecure-Requests: 1",
  "Sec-Fetch-Dest: document",
  "Sec-Fetch-Mode: navigate",
  "Cache-Control: max-age=0",
}

local function request(peer, headers, body)
  local head = {
    ("%s %s HTTP/1.1"):format(body and "POST" or "GET", peer.definition.url or "/"),
    ("Host: 127.0.0.1:%d"):format(peer.port), table.unpack(headers),
  }
  return table.concat(head, "\r\n") .. "\r\n\r\n" .. (body or "")
end

--- What wrk sends: no header but Host.
function load.plain(peer)
  return request(peer, {})
end

--- Twelve headers, as a browser sends them.
function load.browser(peer)
  return request(peer, BROWSER)
end

--- The connection ends with the answer.
function load.closing(peer)
  return request(peer, { "Connection: close" })
end

function load.json(peer, body)
  return request(peer, {
    "Accept: application/json", "Content-Type: application/json", ("Content-Length: %d"):format(#body),
  }, body)
end

local function arguments(peer, options)
  local list = place.load { place.build .. "bench_load" }
  for name, value in pairs(options) do
    if type(value) == "function" then value = value(peer) end
    list[#list + 1] = "--" .. name
    if value ~= true then list[#list + 1] = tostring(value) end
  end
  table.move({ "127.0.0.1", tostring(peer.port) }, 1, 2, #list + 1, list)
  return list
end

---@class bench.Answers
---@field requests integer
---@field errors integer
---@field seconds number
---@field p50 number latency, microseconds; p90, p99 and longest too

--- Starts it, does work() in the middle of it and gives what both have to say. Errors are counted, not raised.
---@param peer bench.Peer
---@param options table
---@return bench.Answers, any
function load.around(peer, options, work)
  local child = process.spawn(arguments(peer, options))
  loop.poll(function() return child.code end, options.seconds * 400 // 1)
  local result = work()
  child:wait()
  local answers = json.decode(child.out)
  if not answers then peer:blame(child) end
  return answers, result
end

--- Runs it to its end; a wrong or missing answer is an error.
---@param peer bench.Peer
---@param options table options of the program; a function is called with the peer
---@return bench.Answers
function load.run(peer, options)
  local child = process.run(arguments(peer, options), { within = (options.seconds + 30) * 1000 // 1 })
  if child.code ~= 0 then peer:blame(child) end
  return json.decode(child.out)
end

--- Opens idle connections, calls work while they stand and closes them.
function load.hold(peer, options, work)
  local child = process.spawn(arguments(peer, options))
  loop.wait_for("idle connections to " .. peer.name, function()
    if child.code then peer:blame(child) end
    return child.out:match "^open"
  end, 120000)
  local result = work()
  child:wait()
  if child.code ~= 0 then peer:blame(child) end
  return result
end

return load

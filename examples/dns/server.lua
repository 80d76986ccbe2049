local luvd = require "luvd"
local net = require "luvd.net"

local wire = require "wire"

local service, zone = {}, nil

-- The zone of the daemon file as records that are ready to send: name -> type -> list of bytes.
local function read_zone(config)
  local origin = config.zone:lower()
  local function whole(name)
    if name == "@" then return origin end
    return (name:match "^(.*)%.$" or name .. "." .. origin):lower()
  end
  local names = {}
  for name, kinds in pairs(config.records) do
    local records = {}
    for kind, texts in pairs(kinds) do
      records[kind] = {}
      for i, text in ipairs(texts) do records[kind][i] = wire.record(whole(name), kind, text, config.ttl, whole) end
      if kind == "CNAME" then records.alias = whole(texts[1]) end
    end
    names[whole(name)] = records
  end
  return { origin = origin, names = names, soa = { wire.soa(origin, config.ttl, os.time()) } }
end

local function append(list, more)
  return table.move(more or {}, 1, #(more or {}), #list + 1, list)
end

local type_names = {}
for name, number in pairs(wire.types) do type_names[number] = name end

-- An alias is followed inside the zone, and never in a circle.
local function collect(name, wanted)
  local answers, records = {}, zone.names[name]
  for _ = 1, 8 do
    if not records then return answers end
    if wanted == "ANY" then
      for kind, list in pairs(records) do
        if kind ~= "alias" then append(answers, list) end
      end
    elseif wanted then
      append(answers, records[wanted])
    end
    if not records.alias or wanted == "CNAME" or wanted == "ANY" then return answers end
    append(answers, records.CNAME)
    records = zone.names[records.alias]
  end
  return answers
end

local function answer(datagram)
  local query, problem = wire.query(datagram)
  if not query then return nil end
  if problem then return wire.reply(query, problem, {}, {}) end
  local inside = query.name == zone.origin or query.name:sub(-#zone.origin - 1) == "." .. zone.origin
  if not inside then return wire.reply(query, "REFUSED", {}, {}) end
  local wanted = type_names[query.type]
  if query.name == zone.origin and wanted == "SOA" then return wire.reply(query, "NOERROR", zone.soa, {}) end
  local answers = collect(query.name, wanted)
  if #answers > 0 then return wire.reply(query, "NOERROR", answers, {}) end
  return wire.reply(query, zone.names[query.name] and "NOERROR" or "NXDOMAIN", {}, zone.soa)
end

function service.start(daemon)
  zone = read_zone(daemon.config)
  net.serve(daemon.listeners.dns, function(socket)
    for datagram, peer in socket:packets() do
      local reply = answer(datagram)
      if reply then socket:send(reply, peer) end -- a datagram that is lost is asked for again
    end
  end)
end

function service.reload(daemon)
  local ok, fresh = pcall(read_zone, daemon.config)
  if not ok then return nil, fresh end
  zone = fresh
  luvd.log:info("zone read anew", { zone = zone.origin })
end

return service

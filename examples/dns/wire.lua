-- DNS messages as bytes: RFC 1035, section 4; RFC 3596 (AAAA); RFC 6891 (EDNS0).

local wire = {}

wire.types = { A = 1, NS = 2, CNAME = 5, SOA = 6, MX = 15, TXT = 16, AAAA = 28, ANY = 255 }
wire.codes = { NOERROR = 0, FORMERR = 1, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5 }

local OPT, IN = 41, 1
local HEADER = ">I2I2I2I2I2I2"

-- --- reading ---

-- A question's name is never compressed: nothing stands before it.
local function read_name(bytes, at)
  local labels = {}
  while true do
    local length = bytes:byte(at)
    if not length or length > 63 then return nil end
    if length == 0 then return table.concat(labels, "."), at + 1 end
    local label = bytes:sub(at + 1, at + length)
    if #label < length or label:find(".", 1, true) or #labels > 126 then return nil end
    labels[#labels + 1] = label
    at = at + 1 + length
  end
end

-- How much the client takes, from the OPT record that follows the question, if there is one.
local function read_size(bytes, at)
  if #bytes < at + 10 or bytes:byte(at) ~= 0 then return 512, false end
  local kind, size = (">I2I2"):unpack(bytes, at + 1)
  if kind ~= OPT then return 512, false end
  return math.max(512, math.min(size, 1232)), true
end

---A query; nil and the code to answer when it is none that can be answered; nil alone: to be ignored.
---@param bytes string
function wire.query(bytes)
  if #bytes < 12 then return nil end
  local id, flags, questions, answers = HEADER:unpack(bytes)
  if flags & 0x8000 ~= 0 then return nil end -- an answer: two servers must not talk to each other
  local query = { id = id, flags = flags, size = 512, question = "" }
  if flags >> 11 & 15 ~= 0 then return query, "NOTIMP" end
  if questions ~= 1 or answers ~= 0 then return query, "FORMERR" end
  local name, at = read_name(bytes, 13)
  if not name or #bytes < at + 3 then return query, "FORMERR" end
  query.name, query.question = name:lower(), bytes:sub(13, at + 3)
  query.type, query.class = (">I2I2"):unpack(bytes, at)
  query.size, query.edns = read_size(bytes, at + 4)
  return query, query.class ~= IN and "REFUSED" or nil
end

-- --- writing ---

---@param name string without the last dot
function wire.name(name)
  return (name:gsub("[^.]+%.?", function(label)
    label = label:gsub("%.$", "")
    assert(#label <= 63, "a part of a name is too long")
    return string.char(#label) .. label
  end)) .. "\0"
end

local function address6(text)
  assert(not text:find "[^%x:]" and not text:find "%x%x%x%x%x", "no address")
  local head, tail = text:match "^(.-)::(.*)$"
  local function groups(part)
    local found = {}
    for group in (part or ""):gmatch "%x+" do found[#found + 1] = (">I2"):pack(tonumber(group, 16)) end
    return table.concat(found)
  end
  if not head then return groups(text) end
  local a, b = groups(head), groups(tail)
  return a .. ("\0"):rep(16 - #a - #b) .. b
end

-- The data of a record from its text in the daemon file. names: a relative name as a whole one.
local encoders = {
  A = function(text) return string.char(text:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$") end,
  AAAA = address6,
  NS = function(text, whole) return wire.name(whole(text)) end,
  CNAME = function(text, whole) return wire.name(whole(text)) end,
  MX = function(text, whole)
    local preference, name = text:match "^(%d+) (%S+)$"
    return (">I2"):pack(math.tointeger(tonumber(preference))) .. wire.name(whole(name))
  end,
  TXT = function(text) return (">s1"):pack(text) end,
}

---One record. Raises when the text is none of its type.
---@return string bytes
function wire.record(name, kind, text, ttl, whole)
  local encode = encoders[kind]
  if not encode then error(("no records of type %q"):format(kind), 0) end
  local ok, data = pcall(encode, text, whole)
  if not ok or (kind == "AAAA" and #data ~= 16) then
    error(("%s: %q is no record of type %s"):format(name, text, kind), 0)
  end
  return wire.name(name) .. (">I2I2I4s2"):pack(wire.types[kind], IN, ttl, data)
end

---@return string bytes
function wire.soa(zone, ttl, serial)
  local data = wire.name("ns." .. zone) .. wire.name("hostmaster." .. zone)
    .. (">I4I4I4I4I4"):pack(serial, 3600, 600, 86400, ttl)
  return wire.name(zone) .. (">I2I2I4s2"):pack(wire.types.SOA, IN, ttl, data)
end

---A reply; without its records and marked as cut off when the client does not take that much.
---@param query table
---@param code string
---@param answers string[]
---@param authority string[]
function wire.reply(query, code, answers, authority)
  local extra = query.edns and "\0" .. (">I2I2I4I2"):pack(OPT, 1232, 0, 0) or ""
  local body = table.concat(answers) .. table.concat(authority)
  local flags = 0x8000 | query.flags & 0x7900 | wire.codes[code]
  if code == "NOERROR" or code == "NXDOMAIN" then flags = flags | 0x0400 end -- with authority
  local an, ns = #answers, #authority
  if 12 + #query.question + #body + #extra > query.size then body, an, ns, flags = "", 0, 0, flags | 0x0200 end
  return HEADER:pack(query.id, flags, query.question ~= "" and 1 or 0, an, ns, query.edns and 1 or 0)
    .. query.question .. body .. extra
end

return wire

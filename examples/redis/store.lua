-- Keys, their values, and when they end.

local luvd = require "luvd"

local store = {}
store.__index = store

---@param limits { max_keys: integer }
function store.new(limits)
  return setmetatable({ limits = limits, values = {}, ends = {}, count = 0, expiring = 0 }, store)
end

-- A key that has ended is gone for everybody who asks, whether the sweep has met it or not.
local function forget(self, key)
  if self.ends[key] then
    self.ends[key] = nil
    self.expiring = self.expiring - 1
  end
  if self.values[key] ~= nil then
    self.values[key] = nil
    self.count = self.count - 1
  end
end

---@return string? value
function store:get(key)
  local ends = self.ends[key]
  if ends and ends <= luvd.now() then forget(self, key) end
  return self.values[key]
end

---@return true? ok
---@return string? message
function store:set(key, value)
  if self.values[key] == nil then
    if self.count >= self.limits.max_keys then
      return nil, "OOM command not allowed: there are as many keys as max_keys allows"
    end
    self.count = self.count + 1
  end
  self.values[key] = value
  return true
end

function store:remove(key)
  local there = self:get(key) ~= nil
  forget(self, key)
  return there
end

---@param seconds number? from now; nil: the key stays
function store:expire(key, seconds)
  if self.ends[key] then self.expiring = self.expiring - 1 end
  if seconds then self.expiring = self.expiring + 1 end
  self.ends[key] = seconds and luvd.now() + seconds or nil
end

---@return number? seconds nil: it stays
function store:left(key)
  local ends = self.ends[key]
  return ends and ends - luvd.now()
end

function store:clear()
  self.values, self.ends, self.count, self.expiring = {}, {}, 0, 0
end

---Forgets keys that have ended, looking at a bounded number of them: the rest waits for the next time.
function store:sweep()
  local now, looked = luvd.now(), 0
  local key = self.cursor
  if key ~= nil and self.ends[key] == nil then key = nil end
  repeat
    local ends
    key, ends = next(self.ends, key)
    if key ~= nil and ends <= now then forget(self, key) end -- a field may be cleared while it is walked
    looked = looked + 1
  until key == nil or looked == 1000
  self.cursor = key
end

return store

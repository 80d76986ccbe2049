local http, json, task = require "luvd.http", require "luvd.json", require "luvd.task"
local files = require "files"
local service = {}
local notes, last_id = json.array {}, 0
local changed = task.channel()                     -- closed at every change: all who wait wake up
local ending = false

local function tell()
  changed:close()
  changed = task.channel()
end

local function state()
  return "data: " .. json.encode { notes = notes, files = files.list() } .. "\n\n"
end

-- --- notes ---

-- What is wrong with a note, by field; nil: nothing.
local function wrong(note)
  if type(note) ~= "table" then return { note = "must be an object" } end
  local list = {}
  for _, field in ipairs { "author", "text" } do
    local value, longest = note[field], field == "author" and 40 or 500
    if type(value) ~= "string" or value:match "^%s*$" then
      list[field] = "must be a text that is not empty"
    elseif utf8.len(value) > longest then
      list[field] = ("must have at most %d characters"):format(longest)
    end
  end
  for field in pairs(note) do
    if field ~= "author" and field ~= "text" then list[field] = "is unknown" end
  end
  return next(list) and list
end

-- Another site's page can make a browser send text, but JSON only when we agree.
local function is_json(request)
  return (request.headers["content-type"] or ""):lower():match "^application/json%f[; \0]"
end

local function add(request, config)
  if not is_json(request) then return { status = 415, json = { error = "must be application/json" } } end
  local note, message, code = request:json { max = "16KiB" }
  if note == nil then
    return { status = code == "EMSGSIZE" and 413 or 400, json = { error = message or "must be an object" } }
  end
  local errors = wrong(note)
  if errors then return { status = 422, json = { errors = errors } } end
  last_id = last_id + 1
  notes[#notes + 1] = { id = last_id, author = note.author, text = note.text, at = os.time() }
  if #notes > config.max_notes then table.remove(notes, 1) end
  tell()
  return { status = 201, headers = { Location = "/api/notes/" .. last_id }, json = notes[#notes] }
end

local function find(id)
  for index, note in ipairs(notes) do
    if tostring(note.id) == id then return index end
  end
end

local function missing()
  return { status = 404, json = { error = "there is no such note" } }
end

-- --- events ---

-- The state now and after every change, and a comment now and then, so that a peer that is gone is noticed.
local function events()
  local waits
  return { headers = { ["Content-Type"] = "text/event-stream", ["Cache-Control"] = "no-store" }, body = function()
    if ending then return nil end
    if waits then
      local _, _, late = waits:receive { timeout = "15s" }
      if ending then return nil end
      if late then return ": still here\n\n" end
    end
    waits = changed
    return state()
  end }
end

local function api(config)
  local r = http.router()
  r:get("/notes", function() return { json = { notes = notes } } end)
  r:post("/notes", function(request) return add(request, config()) end)
  r:get("/notes/:id", function(request)
    local index = find(request.params.id)
    return index and { json = notes[index] } or missing()
  end)
  r:delete("/notes/:id", function(request)
    local index = find(request.params.id)
    if not index then return missing() end
    table.remove(notes, index)
    tell()
    return 204
  end)
  return r
end

function service.start(daemon)
  local function config() return daemon.config end
  local r = http.router()
  assert(files.open(daemon.directories.state .. "/files", config, tell))
  r:mount("/api", api(config))
  r:mount("/files", files.router())
  r:get("/events", events)
  r:mount("/", daemon.config.pages)
  http.serve(daemon.listeners.web, r, { max_body = daemon.config.max_upload })
end

function service.stop()                            -- streams would go on for ever
  ending = true
  changed:close()
end

return service

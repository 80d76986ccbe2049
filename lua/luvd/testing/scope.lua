-- What a test has made and must not outlive it: daemons, folders. Under busted a thing belongs to the test that runs,
-- before_each and after_each included, or to the describe block or file whose setup has made it; elsewhere it lives
-- until it is closed. A thing is a table with finish(self), and if it has them report(self), text for a test that
-- fails, and reload(self).

local scope = {}

-- busted loads modules anew for each spec file: one state for all copies of this one.
local registry = debug.getregistry()
local state = registry["luvd.testing"] or { things = {}, order = {}, stack = {} }
registry["luvd.testing"] = state

-- busted's own table, which the one it exports only reads from.
local function core_of_busted()
  local exported = package.loaded.busted
  local index = type(exported) == "table" and (getmetatable(exported) or {}).__index
  for number = 1, index and 255 or 0 do
    local name, value = debug.getupvalue(index, number)
    if not name then return end
    if name == "busted" then return value end
  end
end

local function finish_all(owner)
  local problem
  for index = #state.order, 1, -1 do
    local thing = state.order[index]
    if thing and state.things[thing] == owner then
      scope.remove(thing)
      local ok, message = pcall(thing.finish, thing)
      problem = problem or not ok and message
    end
  end
  if problem then error(problem, 0) end
end

local function each(method, ...)
  local results = {}
  for _, thing in ipairs { table.unpack(state.order) } do
    if thing[method] then results[#results + 1] = thing[method](thing, ...) end
  end
  return results
end

local ends = { it = true, describe = true, file = true }

-- busted runs a test with its before_each and after_each, a block, and a file, each inside of one call of safe. What is
-- inside again, of the same element, is a part of it.
local function watch(core)
  local safe, rewrite = core.safe, core.rewriteMessage
  function core.safe(descriptor, run, element)
    if not ends[descriptor] or state.stack[#state.stack] == element then return safe(descriptor, run, element) end
    table.insert(state.stack, element)
    local results = table.pack(safe(descriptor, run, element))
    local ok, problem = pcall(finish_all, element)
    table.remove(state.stack)
    if not ok then safe(descriptor, function() error(problem, 0) end, element) end
    return table.unpack(results, 1, results.n)
  end
  function core.rewriteMessage(element, message, trace)
    local text = rewrite(element, message, trace)
    if (debug.getmetatable(message) or {}).__type == "pending" then return text end
    return table.concat({ text, table.unpack(each "report") }, "\n")
  end
  if os.getenv "LUVD_TEST_RELOAD" == "1" then
    core.subscribe({ "test", "start" }, function()
      each "reload"
      return nil, true
    end)
  end
end

local function attach()
  local core = core_of_busted()
  if core and state.core ~= core then
    state.core, state.stack = core, {}
    watch(core)
  end
end

--- Notes a thing. It belongs to who is running now.
function scope.add(thing)
  attach()
  state.things[thing] = state.stack[#state.stack] or false
  table.insert(state.order, thing)
end

--- It has been closed.
function scope.remove(thing)
  state.things[thing] = nil
  for index, other in ipairs(state.order) do
    if other == thing then
      table.remove(state.order, index)
      break
    end
  end
end

attach()

return scope

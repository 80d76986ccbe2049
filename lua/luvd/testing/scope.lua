-- What a test has made and must not outlive it: daemons, folders. Under busted a thing belongs to the test that runs,
-- before_each and after_each included, or to the describe block or file whose setup has made it; elsewhere it lives
-- until it is closed. A thing is a table with finish(self), and if it has them report(self), text for a test that
-- fails, and reload(self).

local suite = require "luvd.test.suite"

local scope = {}

local nowhere = { order = {}, closed = {} } -- without busted

local function finish_all(list, owner)
  local problem
  for index = #list.order, 1, -1 do
    local entry = list.order[index]
    if entry and entry.owner == owner then
      table.remove(list.order, index)
      local right, message = pcall(entry.thing.finish, entry.thing)
      problem = problem or not right and message
    end
  end
  if problem then error(problem, 0) end
end

local function reports(list)
  local texts = table.move(list.closed, 1, #list.closed, 1, {})
  for _, entry in ipairs(list.order) do
    if entry.thing.report then texts[#texts + 1] = entry.thing:report() end
  end
  return #texts > 0 and table.concat(texts, "\n") or nil
end

local function reload_all(list)
  for _, entry in ipairs { table.unpack(list.order) } do
    if entry.thing.reload then assert(entry.thing:reload()) end
  end
end

-- In the suite's state, for busted loads modules anew for each file.
local function list_of(state)
  if not state then return nowhere end
  if not state.testing then
    local list = { order = {}, closed = {} }
    state.testing = list
    table.insert(state.after, function(failed)
      local text = failed and reports(list) or nil
      list.closed = {}
      finish_all(list, state.test)
      return text
    end)
    table.insert(state.reports, function() return reports(list) end)
    table.insert(state.block_ends, function(element) finish_all(list, element) end)
    if os.getenv "LUVD_TEST_RELOAD" == "1" then table.insert(state.before, function() reload_all(list) end) end
  end
  return state.testing
end

local function owner_in(state)
  return state and (state.lazy or state.test or state.blocks[#state.blocks])
end

--- Notes a thing. It belongs to who is running now.
function scope.add(thing)
  local state = suite.attach()
  table.insert(list_of(state).order, { thing = thing, owner = owner_in(state) })
end

--- It has been closed. Its report is still wanted when the test fails after that: a <close> variable ends before the
--- test, and is not told why.
function scope.remove(thing)
  local list = list_of(suite.attach())
  for index, entry in ipairs(list.order) do
    if entry.thing == thing then
      table.remove(list.order, index)
      if entry.owner and thing.report then table.insert(list.closed, thing:report()) end
      return
    end
  end
end

list_of(suite.attach())

return scope

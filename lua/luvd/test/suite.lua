-- Around busted's core: what is done before and after each test, and how a test that seemed right fails still. A test
-- is over for us when its after_each are; until then busted's report of it is held back.

local suite = {}

local KEY = "luvd_test" -- in the core: our state
local OWN_LEAST = 10 -- seconds: what we do at the end of a test may take that long, whatever a test may

-- What is run of the writer's, for the parts that look at each piece.
local pieces = {
  file = true, describe = true, it = true, finally = true, before_each = true, after_each = true, strict_setup = true,
  strict_teardown = true, lazy_setup = true, lazy_teardown = true,
}
local blocks = { describe = true, file = true }
local hooks = {
  before_each = true, after_each = true, strict_setup = true, strict_teardown = true, lazy_setup = true,
  lazy_teardown = true,
}

--- The core that runs tests here; nil when busted does not.
local function find_core()
  local busted = package.loaded.busted
  local index = type(busted) == "table" and (getmetatable(busted) or {}).__index
  if type(index) ~= "function" then return nil end
  for i = 1, debug.getinfo(index, "u").nups do
    local name, value = debug.getupvalue(index, i)
    if name == "busted" then return value end
  end
end

-- --- parts: each may have enter() -> mark, leave(mark, tell) -> text or nil, guard(run, least) -> results of run() ---

local function enter(state)
  local marks = {}
  for i, part in ipairs(state.parts) do marks[i] = part.enter and part.enter() end
  return marks
end

-- The texts of all parts. failed: it has failed already.
local function leave(state, marks, failed, texts)
  for i, part in ipairs(state.parts) do
    local text = part.leave and part.leave(marks[i], failed)
    if text then
      texts[#texts + 1] = text
      texts.wrong = true
    end
  end
end

local function guarded(state, run, least)
  for _, part in ipairs(state.parts) do
    if part.guard then
      local inner = run
      run = function() return part.guard(inner, least) end
    end
  end
  return run()
end

-- --- the end of a test ---

-- Calls each of fns with what is given, and takes their texts; each has a time limit of its own.
local function call_all(state, fns, given, texts)
  for _, fn in ipairs(fns) do
    local right, text = guarded(state, function() return xpcall(fn, debug.traceback, given) end, OWN_LEAST)
    if text then texts[#texts + 1] = tostring(text) end
    texts.wrong = texts.wrong or not right
  end
end

local function finish(state, test)
  local texts, ended, held = { wrong = false }, test.ended, test.held
  local failed = #held > 0
  call_all(state, state.after, failed, texts)
  leave(state, test.marks, failed, texts)
  if not ended then return end
  local text = table.concat(texts, "\n")
  if failed and text ~= "" then
    held[#held].message = held[#held].message .. "\n" .. text
  elseif texts.wrong and ended.status == "success" then
    local trace = test.element.trace
    held[1] = { channel = { "failure", "it" }, parent = ended.parent, message = text, trace = trace }
    ended.status = "failure"
  end
  state.failed = state.failed or #held > 0
  for _, event in ipairs(held) do
    state.publish(event.channel, test.element, event.parent, event.message, event.trace)
  end
  state.safe("test", function()
    state.publish({ "test", "end" }, test.element, ended.parent, ended.status)
  end, test.element)
  for _, event in ipairs(test.late) do state.publish(table.unpack(event, 1, event.n)) end
end

local function run_test(state, run, element)
  local test = { element = element, held = {}, late = {}, marks = enter(state) }
  local outer = state.test
  state.test = test
  local results = table.pack(state.safe("it", run, element))
  finish(state, test)
  state.test = outer
  return table.unpack(results, 1, results.n)
end

local function run_block(core, state, descriptor, run, element)
  local marks, texts = enter(state), {}
  table.insert(state.blocks, element)
  local results = table.pack(state.safe(descriptor, run, element))
  call_all(state, state.block_ends, element, texts)
  table.remove(state.blocks)
  leave(state, marks, false, texts)
  if texts.wrong then
    local name = tostring(element.name or descriptor)
    local trace = element.trace or { short_src = name, source = "@" .. name, currentline = 1, traceback = "" }
    core.publish({ "error", descriptor }, element, core.context.parent(element), table.concat(texts, "\n"), trace)
  end
  return table.unpack(results, 1, results.n)
end

-- busted runs it at the beginning of a block's first test; what it makes is the block's.
local function run_lazy_setup(core, state, run, element)
  local test = state.test
  state.lazy = core.context.parent(element)
  local results = table.pack(guarded(state, function() return state.safe("lazy_setup", run, element) end))
  state.lazy = nil
  if test then test.marks = enter(state) end
  return table.unpack(results, 1, results.n)
end

local function run_piece(state, descriptor, run, element)
  if descriptor == "it" and #state.before > 0 then
    local body = run
    run = function()
      for _, fn in ipairs(state.before) do fn() end
      return body()
    end
  end
  return guarded(state, function() return state.safe(descriptor, run, element) end)
end

-- The message of a hook that has failed, with what is told of a test that fails: its own failure has told it already.
local function with_reports(state, message)
  if state.test and #state.test.held > 0 then return message end
  local texts = { tostring(message) }
  for _, fn in ipairs(state.reports) do texts[#texts + 1] = fn() end
  return table.concat(texts, "\n")
end

-- --- in the core ---

local function wrap(core, state)
  state.safe, state.publish, state.safe_publish = core.safe, core.publish, core.safe_publish

  function core.safe(descriptor, run, element)
    if state.publishing then return state.safe(descriptor, run, element) end
    if run == element.run or descriptor == "finally" then
      if descriptor == "lazy_setup" then return run_lazy_setup(core, state, run, element) end
      if pieces[descriptor] then return run_piece(state, descriptor, run, element) end
    elseif descriptor == "it" then
      return run_test(state, run, element)
    elseif blocks[descriptor] then
      return run_block(core, state, descriptor, run, element)
    end
    return state.safe(descriptor, run, element)
  end

  function core.publish(channel, element, parent, message, trace, ...)
    local test, kind = state.test, channel[1]
    if hooks[channel[2]] and (kind == "failure" or kind == "error") then message = with_reports(state, message) end
    if test and element == test.element and channel[2] == "it" and (kind == "failure" or kind == "error") then
      local event = { channel = channel, parent = parent, message = message, trace = trace }
      table.insert(test.held, event)
      return {}
    elseif test and test.ended and (kind == "failure" or kind == "error") then
      table.insert(test.late, table.pack(channel, element, parent, message, trace, ...)) -- of after_each
      return {}
    end
    state.failed = state.failed or kind == "failure" or kind == "error"
    return state.publish(channel, element, parent, message, trace, ...)
  end

  function core.safe_publish(descriptor, channel, element, parent, status, ...)
    local test = state.test
    if test and element == test.element and channel[1] == "test" and channel[2] == "end" then
      element.endtime, element.endtick = core.gettime(), core.monotime()
      element.duration = element.starttick and element.endtick - element.starttick
      test.ended = { parent = parent, status = status }
      return true
    end
    state.publishing = true
    local right = state.safe_publish(descriptor, channel, element, parent, status, ...)
    state.publishing = false
    return right
  end
end

-- When all is right busted returns, and the interpreter would wait for what tests have left in the loop.
local function leave_at_end(core, state)
  core.subscribe({ "exit" }, function()
    if not state.failed then os.exit(true, true) end
    return nil, true
  end)
end

--- Our state in busted's core, made once: lists before, after, block_ends (functions; called with the describe block
--- or file that has ended, before it is looked for what is left) and parts; reports, functions that give a text for a
--- hook that has failed; blocks, those that run, the innermost last, test, the test that runs, and lazy, the block
--- whose lazy_setup runs. core nil: the one that runs tests here; nil when there is none.
function suite.attach(core)
  local given = core ~= nil
  core = core or find_core()
  if not core then return nil end
  local state = rawget(core, KEY)
  if not state then
    state = { core = core, before = {}, after = {}, block_ends = {}, reports = {}, blocks = {},
      parts = {} }
    rawset(core, KEY, state)
    wrap(core, state)
    if not given then leave_at_end(core, state) end
  end
  return state
end

return suite

-- A question of a test to its daemon, which answers with data. What a test sends runs in the daemon's console: there,
-- this module evaluates the text and prints the results as the last line.

local literal = require "luvd.testing.literal"

local eval = {}

local TEXT_MAX = 8000 -- bytes
local QUESTION_MAX = 16384 -- what a console takes

local MARK = "\1luvd.testing "

--- What the console is given for a text of the test. For a method of a daemon, whose caller is blamed for what is none.
---@param text any
---@return string
function eval.question(text)
  if type(text) ~= "string" then error(("eval: expected a text, got a %s"):format(type(text)), 3) end
  if #text > TEXT_MAX then error(("eval: the text has more than %d bytes"):format(TEXT_MAX), 3) end
  local question = ("do require('luvd.testing.eval').run(%s, _ENV) end"):format(literal.encode(text))
  if #question > QUESTION_MAX then error("eval: the text has too many bytes that are no ASCII", 3) end
  return question
end

--- Raises the error of the daemon. Its traceback is the daemon's too, and ends in this module.
---@param text string
function eval.fail(text)
  error((text:gsub("\nstack traceback:\n.*", "")), 0)
end

--- In the daemon: evaluates text, an expression or statements, in the environment of the console.
---@param text string
---@param environment table
function eval.run(text, environment)
  local chunk, message = load("return " .. text, "=eval", "t", environment)
  if not chunk then chunk, message = load(text, "=eval", "t", environment) end
  if not chunk then error(message, 0) end
  local values = table.pack(chunk())
  for index = 1, values.n do values[index] = literal.encode(values[index]) end
  environment.print(MARK .. table.concat(values, ","))
end

--- What the console has answered: what the text has printed, and its results with their number in n.
---@param answer string
---@return string printed
---@return any[] values
function eval.answer(answer)
  local at = 1
  for from in answer:gmatch("()" .. MARK) do at = from end
  local values = answer:sub(at, at + #MARK - 1) == MARK and answer:sub(-1) == "\n"
    and literal.decode(answer:sub(at + #MARK))
  if not values then error("eval: the result is too long", 0) end
  return answer:sub(1, at - 1), values
end

return eval

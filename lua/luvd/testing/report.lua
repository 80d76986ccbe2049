-- What a test that fails shows of a daemon's log.

local SHOWN_MAX = 16384 -- bytes: the end of it

local report = {}

--- The end of a log that is too long to be shown.
---@param text string
---@return string
function report.cut(text)
  if #text <= SHOWN_MAX then return text end
  return (text:sub(-SHOWN_MAX):gsub("^[^\n]*\n", "...\n"))
end

---@param name string of the daemon
---@param text string its log
---@return string
function report.text(name, text)
  if text == "" then return ("(the log of %s is empty)"):format(name) end
  return ("the log of %s:\n  %s"):format(name, (report.cut(text):gsub("\n+$", ""):gsub("\n", "\n  ")))
end

return report

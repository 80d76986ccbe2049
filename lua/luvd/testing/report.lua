-- What a test that fails shows of a daemon's log.

local SHOWN_MAX = 16384 -- bytes: the end of it

---@param name string of the daemon
---@param text string its log
---@return string
return function(name, text)
  if text == "" then return ("(the log of %s is empty)"):format(name) end
  local cut = #text > SHOWN_MAX and text:sub(-SHOWN_MAX):gsub("^[^\n]*\n", "... \n") or text
  return ("the log of %s:\n  %s"):format(name, (cut:gsub("\n+$", ""):gsub("\n", "\n  ")))
end

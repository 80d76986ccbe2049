-- How long a test, or one function around it, may take.

local script, uv = require "luvd.script", require "uv"

local limit = {}

--- A part that ends what takes longer than so many seconds.
function limit.create(seconds)
  local part, late = {}, false

  -- least: seconds that this one may take in any case.
  function part.guard(run, least)
    local began, most = uv.hrtime(), math.max(seconds, least or 0)
    script.deadline(most)
    local results = table.pack(run())
    script.deadline(nil)
    late = late or uv.hrtime() - began > most * 1e9 and most
    return table.unpack(results, 1, results.n)
  end

  -- Its error may have ended in a pcall.
  function part.leave(_, failed)
    local text = late and not failed and ("took longer than %gs"):format(late) or nil
    late = false
    return text
  end

  return part
end

return limit

-- How long a test, or one function around it, may take.

local script, uv = require "luvd.script", require "uv"

local limit = {}

--- A part that ends what takes longer than so many seconds.
function limit.create(seconds)
  local part, late = {}, false

  function part.guard(run)
    local began = uv.hrtime()
    script.deadline(seconds)
    local results = table.pack(run())
    script.deadline(nil)
    late = late or uv.hrtime() - began > seconds * 1e9
    return table.unpack(results, 1, results.n)
  end

  -- Its error may have ended in a pcall.
  function part.leave(_, failed)
    local text = late and not failed and ("took longer than %gs"):format(seconds) or nil
    late = false
    return text
  end

  return part
end

return limit

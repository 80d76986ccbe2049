-- How long a test, or one function around it, may take.

local script = require "luvd.script"

local limit = {}

--- A part that ends what takes longer than so many seconds.
function limit.create(seconds)
  local part = {}

  function part.guard(run)
    script.deadline(seconds)
    local results = table.pack(run())
    script.deadline(nil)
    return table.unpack(results, 1, results.n)
  end

  return part
end

return limit

-- Parses an order, answers with its sums.
local http = require "luvd.http"

local function answer(order)
  local total, lines = 0, {}
  for i, line in ipairs(order.lines) do
    local price = line.count * line.price
    total = total + price
    lines[i] = { sku = line.sku, count = line.count, price = price }
  end
  return { id = order.id, customer = order.customer.name, lines = lines, total = total, note = order.note }
end

return {
  user = "root",
  listen = { web = { address = "tcp://127.0.0.1:8080" } },
  service = { start = function(daemon)
    http.serve(daemon.listeners.web, function(request)
      local order, message = request:json()
      if not order then return 400, message end
      return { json = answer(order) }
    end)
  end },
}

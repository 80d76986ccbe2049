return {
  service = { start = function() end },
  config = setmetatable({}, { __index = { port = 80 } }),
}

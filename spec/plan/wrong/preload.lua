return {
  service = { start = function() end },
  lua = { preload = { "parts.absent" }, path = 5 },
}

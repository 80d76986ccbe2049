return {
  service = { start = function() end },
  config = "config.lua",
}

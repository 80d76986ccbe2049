return {
  service = { start = function() end },
  timeouts = include "parts/base.lua",
}

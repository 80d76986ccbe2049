return {
  service = { start = function() end },
  config = {
    name = "x",
    on = { hit = function() end },
    ratio = 0 / 0,
    most = 1 / 0,
  },
}

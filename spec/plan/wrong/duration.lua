return {
  service = { start = function() end },
  timeouts = {
    start = 0,
    reload = "10 s",
    stop = "1w",
    drain = -1,
  },
}

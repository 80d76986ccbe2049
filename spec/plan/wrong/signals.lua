return {
  service = { start = function() end, rotate = function() end },
  signals = {
    HUPP = "reload",
    SIGKILL = "stop",
    USR1 = "service.rotat",
    USR2 = "relaod",
    SIGTERM = "stop",
    TERM = "stop-now",
  },
}

return {
  service = { start = function() end },
  workers = "automatic",
  generations = 1,
  console = "yes",
  lua = { slice = "soon", abort = -1 },
  timeouts = { watchdog = false },
  restart = {
    policy = "onfailure",
    backoff = 0,
    limit = -1,
    over = "goon",
    final_codes = { 0, 7, 256, "x" },
    wait = 3,
  },
}

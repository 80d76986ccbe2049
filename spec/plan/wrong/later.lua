return {
  service = { start = function() end },
  workers = 4,
  isolate = { network = true },
  sandbox = {},
  restart = { policy = "always" },
  lua = { slice = "1s", abort = "5s" },
  timeouts = { watchdog = "10s" },
  listen = { web = { address = "tcp://127.0.0.1:80", reuseport = true } },
}

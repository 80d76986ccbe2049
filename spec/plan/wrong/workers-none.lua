return {
  service = { start = function() end },
  workers = 0,
  restart = { backoff = "1m" },
  listen = {
    web = { address = "tcp://127.0.0.1:80", reuseport = true },
    room = { address = "unix:room", reuseport = true },
    names = { address = "udp://127.0.0.1:53", reuseport = 1 },
  },
}

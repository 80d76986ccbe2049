return {
  service = { start = function() end },
  listen = {
    a = "127.0.0.1:80",
    b = "tcp://localhost:80",
    c = "tcp://127.0.0.1:70000",
    d = "tcp://::1:80",
    e = "udp://localhost:53",
    f = "unix:",
    g = { "tcp://127.0.0.1:81" },
    h = 80,
    i = {},
    j = { address = {} },
    k = { address = { "tcp://127.0.0.1:53", "udp://127.0.0.1:53" } },
  },
}

return {
  name = "stats",
  listen = { stats = { address = "udp://127.0.0.1:8125", receive_buffer = "4MiB" } },
  files = { series = { path = "/var/log/stats/series", mode = "a" } },   -- opened before the drop; USR1 opens it anew
  config = { flush = "10s" },
  service = "./collector.lua",
}

-- Adds up counters that come as datagrams ("hits:1|c", as statsd has them) and appends the sums to a file.
return {
  description = "sums of counters",
  user = "nobody",
  listen = { stats = { address = "udp://127.0.0.1:8125", receive_buffer = "4MiB" } }, -- for bursts
  files = { series = { path = "/var/log/stats.series", mode = "a" } }, -- opened before the drop; USR1 opens it anew
  config = { flush = "10s" },
  service = "./collector.lua",
}

return {
  name = "proxy",
  user = "nobody",
  chroot = "auto",
  listen = {
    front = { address = "tcp://0.0.0.0:8080", max_connections = 1000, max_per_peer = 20, idle_timeout = "5m" },
  },
  config = { upstream = "tcp://127.0.0.1:9000", connect_timeout = "3s" },
  timeouts = { stop = "30s" },
  service = "./relay.lua",
}

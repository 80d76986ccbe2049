-- An echo server. `luvd reload` changes the banner; who is connected stays connected.
return {
  description = "repeats what it is told",
  listen = { echo = { address = "tcp://127.0.0.1:7007", max_connections = 1000, idle_timeout = "5m" } },
  config = { banner = "say something" },
  service = "./service.lua",
}

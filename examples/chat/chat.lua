return {
  name = "chat",
  user = "nobody",
  chroot = "auto",
  listen = { chat = { address = "tcp://0.0.0.0:6000", max_connections = 500, idle_timeout = "30m" } },
  timeouts = { drain = 0 },            -- new code: everybody reconnects; never two rooms
  config = { welcome = "nick?" },
  service = "./room.lua",
}

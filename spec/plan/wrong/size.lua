return {
  service = { start = function() end },
  lua = { memory = "64MB" },
  listen = { web = { address = "tcp://127.0.0.1:80", write_buffer = 0, receive_buffer = "big" } },
}

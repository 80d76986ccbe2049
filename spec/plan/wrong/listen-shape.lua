return {
  service = { start = function() end },
  listen = "tcp://127.0.0.1:80",
  files = { "series" },
}

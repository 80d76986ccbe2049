return {
  service = { start = function() end },
  usr = "nobody",
  limits = { nofiles = 4096 },
  listen = { web = { address = "tcp://127.0.0.1:80", backlogg = 5 } },
  zzzzzzzz = 1,
}

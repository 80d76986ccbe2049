return {
  service = { start = function() end },
  listen = {
    web = "tcp://*:8080",
    api = { address = { "tcp://127.0.0.1:9000", "tcp://[0::0]:8080" } },
    one = "unix:one.sock",
    two = "unix:./one.sock",
    any = { address = { "tcp://127.0.0.1:0", "tcp://127.0.0.1:0" } },
  },
}

-- A key-value server that speaks Redis' protocol: redis-cli and redis-benchmark talk to it.
return {
  description = "keeps keys and values in memory, some of them for a while",
  listen = { redis = { address = "tcp://127.0.0.1:6379", max_connections = 1000, idle_timeout = "1h" } },
  lua = { memory = "256MiB" },
  config = {
    max_keys = 1000000,      -- a write of one key more is refused
    max_value = "512KiB",    -- a longer argument is refused, and its connection closed
    max_arguments = 1024,
    max_request = "1MiB",    -- all arguments of one request together
    sweep = "100ms",         -- how often expired keys are looked for
  },
  service = "./server.lua",
}

-- The quote of the day (RFC 865) on its own port, below 1024: root binds it, then the daemon
-- enters an empty root directory and becomes nobody, for good.
return {
  description = "tells a quote to everyone who connects",
  user = "nobody",
  chroot = "auto",
  listen = { qotd = { address = "tcp://0.0.0.0:17", max_connections = 100, idle_timeout = "30s" } },
  limits = { nofile = 256, core = 0 },
  config = {
    quotes = {
      "Simplicity is prerequisite for reliability.",
      "A program that has not been tested does not work.",
      "Premature optimization is the root of all evil.",
    },
  },
  service = "./quotes.lua",
}

return {
  service = { start = function() end },
  nofile = 4096,
  level = "debug",
  backlog = 5,
}

return {
  service = { start = function() end },
  workers = 1.5,
  restart = 5,
}

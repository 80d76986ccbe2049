return {
  service = { start = function() end },
  workers = 1025,
  restart = "sometimes",
}

return {
  service = { start = function() end }
  name = "x",
}

return {
  service = { start = function() end },
  config = { [1.5] = "x", [true] = "y" },
  "stray",
}

return {
  service = { start = function() end },
  files = {
    series = { mode = "a" },
    ["bad name"] = { path = "x" },
    other = { path = "/tmp/x", mode = "append" },
    third = "/tmp/x",
  },
}

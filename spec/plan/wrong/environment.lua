return {
  service = { start = function() end },
  environment = {
    keep = { "TZ", "BAD NAME" },
    set = { ["1X"] = "y", DEBUG = true },
    unset = {},
  },
}

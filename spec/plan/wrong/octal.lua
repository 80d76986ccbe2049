return {
  service = { start = function() end },
  umask = 22,
  directories = { state = "999", cache = 1 },
  files = { series = { path = "series", perm = "rw" } },
}

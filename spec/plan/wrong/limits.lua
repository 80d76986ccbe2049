return {
  service = { start = function() end },
  limits = { nofile = "many", core = -1, nproc = "64KiB", memory = 5 },
}

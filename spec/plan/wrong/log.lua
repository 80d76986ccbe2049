return {
  service = { start = function() end },
  log = {
    to = "sylog",
    level = "warning",
    format = "xml",
    facility = "local9",
  },
}

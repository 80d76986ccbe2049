return {
  service = { start = function() end },
  isolate = { network = true },
  sandbox = {},
}

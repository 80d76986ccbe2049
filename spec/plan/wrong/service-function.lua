return {
  service = {
    strat = function() end,
    retries = 3,
  },
}

return {
  service = { start = function() end },
  capabilities = {
    "CAP_NET_BIND_SERVICE",
    "net_bind_servise",
    5,
  },
}

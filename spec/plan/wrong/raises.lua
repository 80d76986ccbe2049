local port = 70000

assert(port < 65536, "the port is too large")
return {}

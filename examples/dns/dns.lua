-- An authoritative name server for one small zone (RFC 1035) over UDP.
return {
  description = "answers for a zone that is written below",
  user = "nobody",
  chroot = "auto",
  listen = { dns = { address = "udp://0.0.0.0:53", receive_buffer = "1MiB" } },
  config = {
    zone = "example.test",
    ttl = 300,
    records = {
      ["@"] = { A = { "192.0.2.1" }, MX = { "10 mail" }, TXT = { "luvd answers" }, NS = { "ns" } },
      ns = { A = { "192.0.2.2" } },
      www = { A = { "192.0.2.10", "192.0.2.11" }, AAAA = { "2001:db8::10" } },
      mail = { CNAME = { "www" } },
    },
  },
  service = "./server.lua",
}

local luvd = require "support.luvd"
local proc = require "support.proc"

describe("dns", function()
  local function start(t)
    return t:start(t:example "dns", { "--set", "user=", "--set", "chroot=", "--set",
      "listen.dns.address=udp://127.0.0.1:0" })
  end

  local function dig(t, dns, ...)
    local port = dns:address():match ":(%d+)$"
    local result = t:command { "/usr/bin/dig", "@127.0.0.1", "-p", port, "+time=5", "+tries=1", ... }
    assert.equal(0, result.code, result.out)
    return result.out
  end

  it("answers with the addresses of a name", luvd.test(function(t)
    local dns = start(t)
    assert.equal("192.0.2.10\n192.0.2.11\n", dig(t, dns, "+short", "www.example.test", "A"))
    assert.equal("2001:db8::10\n", dig(t, dns, "+short", "www.example.test", "AAAA"))
    assert.equal('"luvd answers"\n', dig(t, dns, "+short", "EXAMPLE.test", "TXT"))
    assert.equal("10 mail.example.test.\n", dig(t, dns, "+short", "example.test", "MX"))
    dns:stop()
  end))

  it("follows an alias", luvd.test(function(t)
    local dns = start(t)
    assert.equal("www.example.test.\n192.0.2.10\n192.0.2.11\n", dig(t, dns, "+short", "mail.example.test", "A"))
    dns:stop()
  end))

  it("says with authority that a name is not there, or has no such record", luvd.test(function(t)
    local dns = start(t)
    local missing = dig(t, dns, "nobody.example.test", "A")
    assert.matches("status: NXDOMAIN", missing)
    assert.matches("flags: qr aa", missing)
    assert.matches("IN%s+SOA%s+ns.example.test", missing)
    assert.matches("status: NOERROR.*ANSWER: 0, AUTHORITY: 1", dig(t, dns, "www.example.test", "MX"))
    dns:stop()
  end))

  it("refuses what is not its zone", luvd.test(function(t)
    local dns = start(t)
    assert.matches("status: REFUSED", dig(t, dns, "example.org", "A"))
    assert.matches("status: REFUSED", dig(t, dns, "notexample.test", "A"))
    dns:stop()
  end))

  it("answers after garbage", luvd.test(function(t)
    local dns = start(t)
    local port = dns:address():match ":(%d+)$"
    for _, bytes in ipairs { "x", ("\xff"):rep(12), ("\xff"):rep(400), "\0\1\0\0\0\1\0\0\0\0\0\0\63abc" } do
      t:command({ "/bin/nc", "-u", "-w", "0", "127.0.0.1", port }, { input = bytes })
    end
    assert.equal("192.0.2.2\n", dig(t, dns, "+short", "ns.example.test", "A"))
    dns:stop()
  end))

  it("has a new zone after a reload, and keeps the old one when that is wrong", luvd.test(function(t)
    local dns = start(t)
    local text = proc.slurp(dns.file)
    t:file((text:gsub("192%.0%.2%.2\"", '192.0.2.99"')))
    assert.equal(0, dns:reload().code)
    assert.equal("192.0.2.99\n", dig(t, dns, "+short", "ns.example.test", "A"))
    for kind, change in pairs {
      A = { "192.0.2.2", "192.0.2.256" }, AAAA = { "2001:db8::10", "2001:db8::zz" }, MX = { "10 mail", "mail" },
      CNAME = { '"www"', ('"%s"'):format(("w"):rep(64)) },
    } do
      local right, wrong = change[1]:gsub("%p", "%%%0"), change[2]
      t:file((text:gsub(right, wrong)))
      local verdict = dns:reload()
      assert.equal(1, verdict.code)
      assert.matches(('%s" is no record of type %s'):format(wrong:gsub('"', ""), kind), verdict.err, 1, true)
    end
    assert.equal("192.0.2.99\n", dig(t, dns, "+short", "ns.example.test", "A"))
    dns:stop()
  end))

  it("is nobody in an empty root, on a port below 1024", luvd.root_test(function(t)
    local dns = t:start(t:example "dns", { "--set", "listen.dns.address=udp://127.0.0.1:5" })
    assert.equal("65534", proc.status(dns:worker()).Uid[1])
    assert.equal("192.0.2.1\n", dig(t, dns, "+short", "example.test", "A"))
    dns:stop()
  end))
end)

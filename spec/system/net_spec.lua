-- Names, connections and datagrams in the real binary, which may have given up all but its sockets.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local namespace = require "support.namespace"
local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"

local empty = [[user = "nobody", chroot = "auto",]]

-- One end of datagrams; ask returns the first answer.
local function udp_client(t, address)
  local socket, answer = uv.new_udp(), nil
  local port = math.tointeger(tonumber(address:match ":(%d+)$"))
  socket:recv_start(function(_, bytes) answer = answer or bytes end)
  t:finally(function() socket:close() end)
  return function(bytes)
    answer = nil
    assert(socket:try_send(bytes, "127.0.0.1", port))
    return loop.wait_for("an answer to " .. bytes, function() return answer end)
  end
end

local function free_udp_port()
  local socket = uv.new_udp()
  assert(socket:bind("127.0.0.1", 0))
  local port = math.tointeger(socket:getsockname().port)
  socket:close()
  uv.run "nowait"
  return port
end

local function udp_echo(keys, address)
  return ([[
local net = require "luvd.net"
return {
  listen = { dns = { address = %q, %s } },
  service = { start = function(daemon)
    net.serve(daemon.listeners.dns, function(socket)
      for bytes, peer in socket:packets() do socket:send(bytes:upper(), peer) end
    end)
  end },
}
]]):format(address or "udp://127.0.0.1:0", keys or "")
end

-- The file of a daemon besides the test's own, and the end of what it leaves.
local function second(t, suffix, text)
  local name = t.name .. "_" .. suffix
  for _, form in ipairs { "/run/luvd/%s", "/var/log/%s.log", "/run/%s.pid" } do
    t:finally(function() tree.remove(form:format(name)) end)
  end
  return t:file(text, name .. ".lua")
end

describe("net.connect", function()
  -- Echoes, and connects to what the first line of a client names; answers with what that said to "hello".
  local function go_between(keys)
    return ([[
local net = require "luvd.net"
return {
  listen = { web = "tcp://127.0.0.1:0", echo = "tcp://127.0.0.1:0" },
  %s
  service = { start = function(daemon)
    net.serve(daemon.listeners.echo, function(conn)
      for line in conn:lines() do conn:write(line .. "\n") end
    end)
    net.serve(daemon.listeners.web, function(conn)
      local other <close>, message, code = net.connect(conn:read_line(), { timeout = "5s" })
      if not other then return conn:write { code, " ", message, "\n" } end
      other:write "hello\n"
      conn:write(other:read_line() .. "\n")
    end)
  end },
}
]]):format(keys or "")
  end

  it("knows the names of /etc/hosts in an empty root, as nobody", luvd.root_test(function(t)
    local d = t:start(t:file(go_between(empty)))
    local port = d:address "echo":match ":(%d+)$"
    assert.equal("hello\n", client.ask(d:address "web", ("tcp://localhost:%s\n"):format(port)))
    assert.equal("hello\n", client.ask(d:address "web", ("tcp://127.0.0.1:%s\n"):format(port)))
    d:stop()
  end))

  it("asks the name server of /etc/resolv.conf from there: the dns example", luvd.root_test(function(t)
    local zone = proc.slurp "examples/dns/dns.lua":gsub('ns = { A = { "192.0.2.2" } }', 'ns = { A = { "127.0.0.1" } }')
    local dns = second(t, "dns", zone)
    for _, name in ipairs { "server.lua", "wire.lua" } do
      tree.copy("examples/dns/" .. name, t.folder .. "/" .. name)
    end
    tree.write(t.folder .. "/resolv.conf", "nameserver 127.0.0.1\nsearch example.test\noptions timeout:2\n")
    local ns = namespace.enter(t)
    ns:must(("mount --bind %s/resolv.conf /etc/resolv.conf"):format(t.folder))
    local set = ("%s --set listen.dns.address=udp://127.0.0.1:53"):format(dns)
    ns:must(("%s start %s"):format(luvd.binary, set))
    t:finally(function() t:luvd { "stop", dns } end)
    local file = t:file(go_between(empty))
    ns:must(("%s start %s"):format(luvd.binary, file))
    local d = t:attach(file)
    local port = d:address "echo":match ":(%d+)$"
    local web = d:address "web"
    assert.equal("hello\n", client.ask(web, ("tcp://ns.example.test:%s\n"):format(port)))
    assert.equal("hello\n", client.ask(web, ("tcp://NS:%s\n"):format(port)))
    assert.matches("^EAI_NONAME tcp://nobody.example.test:", client.ask(web, "tcp://nobody.example.test:1\n"))
    d:stop()
    assert.equal(0, t:luvd({ "stop", dns }).code)
  end))

  it("leaves no descriptor open, however it ends", luvd.test(function(t)
    local d = t:start(t:file(go_between()))
    local web = d:address "web"
    local good = "tcp://localhost:" .. d:address "echo":match ":(%d+)$" .. "\n"
    local function descriptors()
      client.ask(web, good)
      return loop.wait_for("the connections to be gone", function()
        for _, listener in ipairs(d:status().listeners) do
          if listener.connections ~= 0 then return nil end
        end
        return #proc.names(("/proc/%d/fd"):format(d:worker()))
      end)
    end
    local before = descriptors()
    for _ = 1, 20 do
      assert.equal("hello\n", client.ask(web, good))
      assert.matches("^ECONNREFUSED", client.ask(web, "tcp://localhost:1\n"))
      assert.matches("^ENOENT", client.ask(web, "unix:/nonexistent/socket\n"))
    end
    -- One of luvd status may be there yet, or have been there before.
    loop.wait_for("no descriptor more than before", function() return descriptors() <= before end)
    d:stop()
  end))
end)

describe("a udp listener", function()
  it("answers, and is counted", luvd.test(function(t)
    local d = t:start(t:file(udp_echo()))
    local ask = udp_client(t, d:address())
    assert.equal("ONE", ask "one")
    assert.equal("TWO", ask "two")
    assert.equal(2, d:status().listeners[1].accepted)
    d:stop()
  end))

  it("goes on in an empty root, as nobody", luvd.root_test(function(t)
    local text = udp_echo():gsub("listen =", empty .. " listen =")
    local d = t:start(t:file(text))
    assert.equal("ONE", udp_client(t, d:address()) "one")
    d:stop()
  end))

  it("is taken from a service manager, by address and by name", luvd.test(function(t)
    for _, by in ipairs { "address", "name" } do
      local port = free_udp_port()
      local address = "udp://127.0.0.1:" .. (by == "address" and port or 1)
      local arguments = { "/usr/bin/systemd-socket-activate", "--datagram", "-l", "127.0.0.1:" .. port }
      if by == "name" then table.insert(arguments, "--fdname=dns") end
      for _, word in ipairs { luvd.binary, "run", t:file(udp_echo("", address)) } do table.insert(arguments, word) end
      local child = t:spawn(arguments)
      child:wait_output("err", "Listening on")
      assert.equal("ONE", udp_client(t, "udp://127.0.0.1:" .. port) "one")
      child:wait_output("err", "ready, pid")
      child:kill "sigterm"
      child:wait()
      assert.equal(0, child.code, child.err)
    end
  end))

  it("refuses a stream socket of the service manager", luvd.test(function(t)
    local port = free_udp_port()
    local child = t:spawn { "/usr/bin/systemd-socket-activate", "--fdname=dns", "-l", "127.0.0.1:" .. port,
      luvd.binary, "run", t:file(udp_echo()) }
    child:wait_output("err", "Listening on")
    local conn = client.connect("tcp://127.0.0.1:" .. port)
    child:wait()
    conn:close()
    assert.equal(1, child.code)
    assert.matches("is no datagram socket", child.err, 1, true)
  end))

  it("refuses a unix socket of the service manager", luvd.test(function(t)
    local path = t.folder .. "/datagrams"
    local child = t:spawn { "/usr/bin/systemd-socket-activate", "--datagram", "--fdname=dns", "-l", path,
      luvd.binary, "run", t:file(udp_echo()) }
    child:wait_output("err", "Listening on")
    assert.equal(0, t:command({ "/usr/bin/logger", "-d", "-u", path, "x" }).code)
    child:wait()
    assert.equal(1, child.code)
    assert.matches("is no datagram socket of the internet", child.err, 1, true)
  end))

  it("has a buffer in the kernel, and says when that is smaller than asked", luvd.test(function(t)
    local most = math.tointeger(tonumber((proc.slurp "/proc/sys/net/core/rmem_max" or ""):match "%d+"))
    local d = t:start(t:file(udp_echo([[receive_buffer = "64KiB"]])))
    assert.is_nil(d.child.err:find("receive buffer", 1, true))
    d:stop()
    if not most then return end
    d = t:start(t:file(udp_echo(("receive_buffer = %d"):format(most * 2))))
    assert.matches(("the kernel gives a receive buffer of %d bytes instead of %d: raise net.core.rmem_max")
      :format(most, most * 2), d.child.err, 1, true)
    d:stop()
  end))

  it("cannot be mixed with streams, nor take a port twice", luvd.test(function(t)
    local mixed = udp_echo("", "x"):gsub('"x"', '{ "udp://127.0.0.1:5", "tcp://127.0.0.1:5" }')
    local result = t:luvd { "check", t:file(mixed) }
    assert.equal(2, result.code)
    assert.matches("make two entries", result.err)
    local d = t:start(t:file(udp_echo()))
    result = t:luvd { "start", second(t, "other", udp_echo("", d:address())) }
    assert.equal(1, result.code)
    assert.matches("address already in use; choose another: --set listen.dns.address=udp://127.0.0.1:PORT", result.err,
      1, true)
    d:stop()
  end))
end)

local client = require "support.client"
local luvd = require "support.luvd"
local proc = require "support.proc"

describe("jail", function()
  it("binds a port below 1024, then is nobody in an empty root", luvd.root_test(function(t)
    local jail = t:start(t:example "jail")
    assert.equal("tcp://0.0.0.0:17", jail:address())
    assert.matches("^[A-Z][^\r\n]+%.\r\n$", client.ask("tcp://127.0.0.1:17"))
    local worker = jail:worker()
    local status = proc.status(worker)
    assert.same({ "65534", "65534", "65534", "65534" }, status.Uid)
    assert.same({ "65534", "65534", "65534", "65534" }, status.Gid)
    assert.same({}, status.Groups)
    assert.equal("0000000000000000", status.CapPrm[1])
    assert.equal("1", status.NoNewPrivs[1])
    assert.same({}, proc.names(("/proc/%d/root/"):format(worker)))
    assert.same({ "256", "256" }, { proc.limit(worker, "Max open files") })
    jail:stop()
    t:assert_nothing_left()
  end))

  it("stops on SIGTERM", luvd.root_test(function(t)
    local jail = t:start(t:example "jail")
    jail:signal "sigterm"
    jail:wait_end()
    assert.equal(3, t:luvd({ "status", jail.file }).code) -- its monitor has removed pidfile and record
    t:assert_nothing_left()
  end))

  it("tells an ordinary user what is missing", luvd.root_test(function(t)
    local file = t:example "jail"
    local result = t:unprivileged():failed_start(file)
    assert.equal(1, result.code)
    assert.matches(":6: chroot: only root can change the root directory", result.err, 1, true)
  end))

  it("answers an ordinary user too, when he takes away what needs root", luvd.test(function(t)
    local jail = t:start(t:example "jail", { "--set", "user=", "--set", "chroot=", "--set",
      "listen.qotd=tcp://127.0.0.1:0" })
    assert.matches("%.\r\n$", client.ask(jail:address()))
    jail:stop()
  end))
end)

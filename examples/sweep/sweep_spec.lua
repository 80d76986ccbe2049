local luvd = require "support.luvd"
local loop = require "support.loop"
local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"

describe("sweep", function()
  -- A folder with an old file and a new one, and the daemon that sweeps it every 50 ms.
  local function start(t, more)
    local folder = t.folder .. "/uploads"
    uv.fs_mkdir(folder, tonumber("777", 8))
    for _, name in ipairs { "old", "new" } do tree.write(folder .. "/" .. name, name) end
    uv.fs_utime(folder .. "/old", os.time() - 8 * 24 * 3600, os.time() - 8 * 24 * 3600)
    for _, path in ipairs { folder, folder .. "/old", folder .. "/new" } do
      if luvd.root then uv.fs_chown(path, 33, 33) end
    end
    local sets = { "--set", "log=" .. t.folder .. "/the.log", "--set", "config.folder=" .. folder,
      "--set", "config.every=50ms", table.unpack(more or {}) }
    if not luvd.root then table.move({ "--set", "user=" }, 1, 2, #sets + 1, sets) end
    local sweep = t:start(t:example "sweep", sets)
    sweep.logs = t.folder .. "/the.log"
    return sweep, folder
  end

  it("removes what is old, keeps what is new, and says so", luvd.test(function(t)
    local sweep, folder = start(t)
    sweep:wait_log "removed=1"
    assert.same({ "new" }, proc.names(folder))
    sweep:stop()
  end))

  it("is www-data, though root made its log", luvd.root_test(function(t)
    local sweep = start(t)
    assert.equal("33", proc.status(sweep:worker()).Uid[1])
    assert.equal(0, uv.fs_stat(sweep.logs).uid)
    sweep:stop()
  end))

  it("is rotated by its logrotate stanza: the new log is root's", luvd.root_test(function(t)
    local sweep = start(t)
    sweep:wait_log "swept"
    local stanza = proc.slurp("examples/sweep/logrotate")
      :gsub("/var/log/sweep.log", sweep.logs):gsub("/run/sweep.pid", ("/run/%s.pid"):format(t.name))
      :gsub("\n%s*delaycompress", ""):gsub("\n%s*compress", "")
    local result = t:command { "/usr/sbin/logrotate", "-f", "-s", t.folder .. "/state", t:file(stanza, "logrotate") }
    assert.same({ 0, "" }, { result.code, result.err })
    assert.equal(0, uv.fs_stat(sweep.logs).uid)
    sweep:wait_log "swept"
    assert.matches("swept", proc.slurp(sweep.logs .. ".1"))
    sweep:stop()
  end))

  it("refuses to sweep what is younger than a minute", luvd.test(function(t)
    local sweep = start(t)
    t:file((proc.slurp(sweep.file):gsub('older_than = "7d"', 'older_than = "1s"')))
    local verdict = sweep:reload()
    assert.equal(1, verdict.code)
    assert.matches("below one minute", verdict.err)
    sweep:stop()
  end))

  it("goes on when the folder is gone for a while", luvd.test(function(t)
    local sweep, folder = start(t)
    sweep:wait_log "swept"
    uv.fs_rename(folder, folder .. ".gone")
    sweep:wait_log "cannot list"
    uv.fs_rename(folder .. ".gone", folder)
    local seen = #sweep:log()
    loop.wait_for("another sweep", function() return sweep:log():find("swept", seen, true) end)
    sweep:stop()
  end))
end)

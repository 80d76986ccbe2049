local luvd = require "support.luvd"
local proc = require "support.proc"
local testing = require "luvd.testing"
local tree = require "support.tree"
local uv = require "luv"

local file = "examples/sweep/sweep.lua"

for _, way in ipairs { "start", "simulate" } do
  describe("sweep, with testing." .. way, function()
    local uploads, sweep
    before_each(function()
      uploads = testing.tree { old = "x", new = "y" }
      uploads:age("old", "8d")
      sweep = testing[way](file, { user = false, config = { folder = uploads.path, every = "50ms" } })
    end)

    local function wait_log(pattern)
      if sweep.clock then sweep.clock:advance "50ms" end
      return sweep:wait_log(pattern)
    end

    it("removes what is old, keeps what is new, and says so", function()
      assert.same({ "1", "1" }, { wait_log "swept kept=(%d+) removed=(%d+)" })
      assert.same({ "new" }, uploads:names())
    end)

    it("refuses to sweep what is younger than a minute", function()
      local ok, message = sweep:reload { config = { older_than = "1s" } }
      assert.is_nil(ok)
      assert.matches("below one minute", message)
      assert.is_true(sweep:reload { config = { older_than = "1h" } })
    end)

    it("goes on when the folder is gone for a while", function()
      wait_log "swept"
      uv.fs_rename(uploads.path, uploads.path .. ".gone")
      wait_log "cannot list"
      uv.fs_rename(uploads.path .. ".gone", uploads.path)
      wait_log "swept"
    end)
  end)
end

describe("sweep", function()
  it("sweeps every ten minutes, and faster after a reload", function()
    local folder = testing.tree { old = "x", new = "y" }
    folder:age("old", "8d")
    local sweep <close> = testing.simulate(file, { config = { folder = folder.path } })
    sweep.clock:advance "10m"
    assert.same({ "new" }, folder:names())
    assert.is_true(sweep:reload { config = { every = "1m" } })
    local ok, message = sweep:reload { config = { older_than = "1s" } }
    assert.is_nil(ok)
    assert.matches("below one minute", message)
  end)

  it("sweeps 144 times a day, and takes what has become old", function()
    local folder = testing.tree { young = "x" }
    folder:age("young", 6.5 * 86400)
    local sweep <close> = testing.simulate(file, { config = { folder = folder.path } })
    sweep.clock:advance "11h"
    assert.same({ "young" }, folder:names())
    sweep.clock:advance "13h"
    assert.same({}, folder:names())
    assert.equal(144, select(2, sweep.log:gsub("swept", "")))
  end)

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
end)

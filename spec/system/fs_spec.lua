-- Files of a service inside the real binary: as another user, in an empty root, on a full disk, while they are opened
-- anew.

local client = require "support.client"
local loop = require "support.loop"
local luvd = require "support.luvd"
local namespace = require "support.namespace"
local proc = require "support.proc"
local services = require "support.services"
local tree = require "support.tree"
local uv = require "luv"

-- A folder that belongs to whom the daemon becomes.
local function folder_of(t, name)
  local path = t.folder .. "/" .. name
  assert(uv.fs_mkdir(path, tonumber("755", 8)))
  if luvd.root then assert(uv.fs_chown(path, luvd.nobody, luvd.nobody)) end
  return path
end

local user = luvd.root and [[user = "nobody",]] or ""

-- Writes numbered lines, each far longer than what a pipe or a page takes at once, until somebody connects: it is told
-- how many there are.
local function numbers(folder)
  return ([[
local luvd, net = require "luvd", require "luvd.net"
return {
  %s
  files = { series = { path = "%s/series", mode = "a" } },
  listen = { web = "tcp://127.0.0.1:0" },
  service = {
    start = function(daemon)
      local count, asked, ended = 0, false, false
      daemon:spawn(function()
        while not asked do
          count = count + 1
          assert(daemon.files.series:write { ("%%07d"):format(count), ("x"):rep(99992), "\n" })
        end
        ended = true
      end)
      net.serve(daemon.listeners.web, function(conn)
        asked = true
        while not ended do luvd.sleep "1ms" end
        conn:write(count .. "\n")
      end)
    end,
  },
}
]]):format(user, folder)
end

-- The numbers of the lines in a file, all of which must be whole.
local function numbers_in(path, list)
  local text = assert(proc.slurp(path))
  assert.equal(0, #text % 100000)
  for at = 1, #text, 100000 do
    local line = text:sub(at, at + 99999)
    assert.equal(("x"):rep(99992) .. "\n", line:sub(8))
    list[#list + 1] = math.tointeger(tonumber(line:sub(1, 7)))
  end
end

describe("a declared file", function()
  it("is opened anew by USR1 in the middle of writes: no line is torn, none is lost", luvd.test(function(t)
    local folder = folder_of(t, "data")
    local path = folder .. "/series"
    local d = t:start(t:file(numbers(folder)))
    local files = {}
    for turn = 1, 5 do
      local old = path .. "." .. turn
      loop.wait_for("a line", function() return (uv.fs_stat(path) or { size = 0 }).size > 0 end)
      assert(uv.fs_rename(path, old))
      d:signal "sigusr1"
      loop.wait_for("the new file", function() return tree.exists(path) end)
      files[turn] = old
    end
    files[#files + 1] = path
    local count = math.tointeger(tonumber(client.ask(d:address(), ""):match "%d+"))
    local found = {}
    for _, file in ipairs(files) do numbers_in(file, found) end
    d:stop()
    assert.equal(count, #found)
    for i = 1, count do assert.equal(i, found[i]) end
  end))

  it("is written and read in an empty root after privileges are gone", luvd.root_test(function(t)
    local keys = ([[user = "nobody", chroot = "auto",
      files = { series = { path = "%s/series", mode = "a" }, words = { path = "%s/words", mode = "r" } },]]):format(
      t.folder, t.folder)
    tree.write(t.folder .. "/words", "one\ntwo\nthree", tonumber("600", 8))
    local d = t:start(t:file(services.eval(keys)))
    local conn = client.connect(d:address())
    local function eval(text) return conn:write(text .. "\n"):read_line() end
    assert.equal("true", eval "daemon.files.series:write { 'a', 1, '\\n' }")
    assert.equal("one", eval "daemon.files.words:read_line()")
    assert.equal("two", eval "daemon.files.words:lines()()")
    assert.equal("13", eval "daemon.files.words:size()")
    assert.equal("one two three", eval "daemon.files.words:read_all():gsub('%s', ' ')")
    assert.matches("raised", eval "daemon.files.words:write 'x'")
    assert.matches("raised", eval "daemon.files.words:close()")
    assert.equal("ENOENT", eval("select(3, require('luvd.fs').read('" .. t.folder .. "/words'))"))
    assert.equal("ENOENT", eval "select(3, require('luvd.fs').temporary())")
    assert.equal("ENOENT", eval "select(3, require('luvd.fs').write('/x', 'x'))")
    conn:close()
    d:stop()
    assert.equal("a1\n", proc.slurp(t.folder .. "/series"))
  end))

  it("that cannot be opened anew stays the old one", luvd.root_test(function(t)
    local d = t:start(t:file(services.eval(([[user = "nobody", chroot = "auto", workers = 0,
      files = { series = { path = "%s/series", mode = "a" } },]]):format(t.folder))))
    local conn = client.connect(d:address())
    assert.equal("true", conn:write("daemon.files.series:write 'a'\n"):read_line())
    d:signal "sigusr1"
    d:wait_log "files%.series: "
    assert.equal("true", conn:write("daemon.files.series:write 'b'\n"):read_line())
    conn:close()
    d:stop()
    assert.equal("ab", proc.slurp(t.folder .. "/series"))
  end))
end)

describe("a full disk", function()
  it("loses nothing half: replace keeps the old file, what failed says so, and the service goes on",
    luvd.root_test(function(t)
      local ns = namespace.enter(t)
      ns:disk(64)
      ns:must "chmod 1777 ns/disk"
      local d = t:file(services.eval(([[user = "nobody",
        files = { series = { path = "%s/ns/disk/series", mode = "a" } },]]):format(t.folder)))
      ns:must(("%s start %s"):format(luvd.binary, d))
      d = t:attach(d)
      local conn = client.connect(d:address())
      local function eval(text)
        text = text:gsub("DISK", t.folder .. "/ns/disk"):gsub("FS", "require('luvd.fs')")
        return conn:write(text .. "\n"):read_line()
      end
      assert.equal("true", eval "FS.replace('DISK/state', 'old')")
      assert.equal("ENOSPC", eval "select(3, FS.replace('DISK/state', ('x'):rep(100000)))")
      assert.equal("no space left on device", eval "select(2, FS.write('DISK/big', ('x'):rep(100000)))")
      assert.equal("ENOSPC", eval "select(3, daemon.files.series:write(('x'):rep(100000)))")
      assert.equal("old", eval "FS.read 'DISK/state'")
      assert.equal("big series state", eval "table.concat(FS.list 'DISK', ' ')")
      assert.equal("true", eval "FS.remove 'DISK/big'")
      assert.equal("true", eval "FS.replace('DISK/state', 'new')")
      assert.equal("new", eval "FS.read 'DISK/state'")
      conn:close()
      d:stop()
    end))
end)

describe("a service", function()
  it("that meets a fifo is not kept by it", luvd.test(function(t)
    local d = t:start(t:file(services.eval()))
    assert.equal(0, t:command({ "/usr/bin/mkfifo", t.folder .. "/fifo" }).code)
    local conn = client.connect(d:address())
    for call, code in pairs { ["open('FIFO', 'w')"] = "ENXIO", ["append('FIFO', 'x')"] = "ENXIO",
      ["read 'FIFO'"] = "ESPIPE" } do
      local text = ("select(3, require('luvd.fs').%s)\n"):format(call:gsub("FIFO", t.folder .. "/fifo"))
      assert.equal(code, conn:write(text):read_line())
    end
    conn:close()
    d:stop()
  end))

  it("reads and writes at a limit of processes: its threads were made before", luvd.root_test(function(t)
    local folder = folder_of(t, "data")
    local d = t:start(t:file(services.eval [[user = "nobody", limits = { nproc = 1 },]]))
    local path = folder .. "/f"
    assert.equal("true\n", client.ask(d:address(), ("require('luvd.fs').replace('%s', 'x')\n"):format(path)))
    assert.equal("x", proc.slurp(path))
    d:stop()
  end))
end)

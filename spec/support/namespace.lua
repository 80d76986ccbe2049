-- A shell with mounts of its own (root only): a /dev with no log socket in it, empty /run/systemd and /run/log, so that
-- a log daemon started there is nobody else's; and tiny disks.

local loop = require "support.loop"
local proc = require "support.proc"

local namespace = {}
namespace.__index = namespace

local PREPARE = [=[
set -u
cd "$1"
mkdir -p ns/dev ns/disk
mount -t tmpfs tmpfs ns/dev
for name in null zero full random urandom; do : >ns/dev/$name; mount --bind /dev/$name ns/dev/$name; done
mount --rbind ns/dev /dev
mkdir -p /run/systemd /run/log
mount -t tmpfs tmpfs /run/systemd
mount -t tmpfs tmpfs /run/log
started=
trap 'kill $started 2>/dev/null; wait' EXIT
echo prepared
while read -r line; do
  eval "$line" >ns/out 2>ns/err
  echo "done $?"
  started="$started ${!:-}"
done
]=]

-- Mounts must not spread to others. In a chroot whose root is no mount point nobody can say so, but there they do not
-- unless somebody has made them shared.
function namespace.propagation(t)
  if t:command({ "/usr/bin/unshare", "--mount", "--propagation", "private", "/bin/true" }).code == 0 then
    return "private"
  end
  assert(not (proc.slurp "/proc/self/mountinfo"):find(" shared:", 1, true), "mounts are shared, and cannot be private")
  return "unchanged"
end

--- Enters a new one; t: the test, which ends it.
function namespace.enter(t)
  local child = t:spawn({ "/usr/bin/unshare", "--mount", "--propagation", namespace.propagation(t), "/bin/sh",
    "-c", PREPARE, "sh", t.folder })
  child:wait_output("out", "prepared\n")
  child.out = ""
  local self = setmetatable({ child = child, folder = t.folder }, namespace)
  t:finally(function() self:leave() end)
  return self
end

--- Runs a line of shell there: { code, out, err }. What it starts with & stays until leave.
function namespace:run(line)
  self.child:write(line .. "\n")
  local code = loop.wait_for("the end of: " .. line, function()
    if self.child.code then error("the shell has ended: " .. self.child.err, 0) end
    return self.child.out:match "done (%d+)\n"
  end)
  self.child.out = ""
  return {
    code = math.tointeger(tonumber(code)),
    out = proc.slurp(self.folder .. "/ns/out"),
    err = proc.slurp(self.folder .. "/ns/err"),
  }
end

--- The same, and it must succeed.
function namespace:must(line)
  local result = self:run(line)
  if result.code ~= 0 then error(("%s: %d: %s%s"):format(line, result.code, result.out, result.err), 2) end
  return result.out
end

--- Waits until the line succeeds; what it writes.
function namespace:wait_for(line)
  return loop.wait_for(line, function()
    local result = self:run(line)
    return result.code == 0 and result.out
  end)
end

--- Mounts an empty disk of that many KiB; its path as processes outside see it is inside the namespace only.
function namespace:disk(kib)
  self:must(("mount -t tmpfs -o size=%dk tmpfs ns/disk"):format(kib))
  return self.folder .. "/ns/disk"
end

function namespace:leave()
  if self.child.code then return end
  self.child:close_stdin()
  self.child:wait_exit()
end

return namespace

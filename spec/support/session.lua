-- A shell on a machine that is as good as new, for the commands of a page: processes, ports, /run, /etc, /usr/local and
-- logs of its own. All of it is gone when the test ends. As root or, with namespaces that anybody may make, without.

local loop = require "support.loop"
local luvd = require "support.luvd"
local namespace = require "support.namespace"
local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"

---@class support.session
local session = {}
session.__index = session

-- $1: a folder for what this needs itself. $2: the folder that is built. $3: where to install, if at all.
local ROOT = [=[
set -eu
mount -t proc proc /proc
busybox ifconfig lo up
for folder in /run /var/log /var/lib /usr/local "$1/own"; do mount -t tmpfs tmpfs $folder; done
mkdir "$1/own/etc"
cp -a /etc/. "$1/own/etc"
mount --bind "$1/own/etc" /etc
mkdir -m 777 /var/lib/nginx # which Debian's nginx wants
]=]
local ORDINARY = [=[
set -eu
mount -t proc proc /proc
busybox ifconfig lo up
]=]
local INSTALL = [=[
[ -z "$3" ] || cmake --install "$2" --prefix "$3" >"$1/install" 2>&1 || { cat "$1/install" >&2; exit 1; }
]=]

-- Takes names of files with commands and runs each in this shell: the folder and the variables stay. The first command
-- that fails is told.
local LOOP = [=[
cd "$1"
echo prepared
while read -r file; do
  failed=0 command=
  trap 'code=$?; [ $failed != 0 ] || { failed=$code command=$BASH_COMMAND; }' ERR
  eval "$(cat "$file")" >"$file.out" 2>&1 </dev/null
  trap - ERR
  echo "done $failed ${command//$'\n'/ }"
done
]=]

local SUDO = "#!/bin/sh\nexec \"$@\"\n"

local EVERYBODY = tonumber("755", 8)

-- The words that run the shell: namespaces, what is made ready in them, then the user who types.
local function words(self, options)
  local own = self.own
  local enter = tree.write(own .. "/enter", (luvd.root and ROOT or ORDINARY) .. INSTALL .. 'shift 3\nexec "$@"\n')
  local list = { "/usr/bin/unshare", "--mount", "--net", "--pid", "--fork", "--kill-child" }
  if luvd.root then
    list = table.move({ "--propagation", namespace.propagation(self.t) }, 1, 2, #list + 1, list)
  else
    list = table.move({ "--map-current-user", "--keep-caps" }, 1, 2, #list + 1, list)
  end
  local prefix = options.install == false and "" or luvd.root and "/usr/local" or own .. "/usr"
  for _, word in ipairs { "/bin/sh", enter, own, luvd.top .. "/" .. luvd.build, prefix } do list[#list + 1] = word end
  local drop = options.user and luvd.root and { "--reuid=" .. luvd.nobody, "--regid=" .. luvd.nobody, "--clear-groups" }
    or not luvd.root and { "--ambient-caps=-all", "--inh-caps=-all" }
  if drop then
    list[#list + 1] = "/usr/bin/setpriv"
    table.move(drop, 1, #drop, #list + 1, list)
  end
  for _, word in ipairs { "/bin/bash", tree.write(own .. "/loop", LOOP), self.home } do list[#list + 1] = word end
  return list
end

--- Enters a new one, in an empty home; luvd is installed unless install = false. user: as an ordinary one.
---@param t support.test which ends it
---@param options? { install?: boolean, user?: boolean }
---@return support.session
function session.enter(t, options)
  options = options or {}
  local self = { t = t, own = t.folder .. "/session", home = t.folder .. "/home", count = 0, staying = {} }
  setmetatable(self, session)
  for _, folder in ipairs { self.own, self.own .. "/own", self.own .. "/bin", self.own .. "/blocks", self.home } do
    if not tree.exists(folder) then assert(uv.fs_mkdir(folder, EVERYBODY)) end
  end
  uv.fs_chmod(self.own .. "/blocks", tonumber("777", 8))
  local runtime = t.runtime
  if luvd.root and options.user then
    runtime = t.folder .. "/runtime"
    assert(uv.fs_mkdir(runtime, tonumber("700", 8)))
    for _, folder in ipairs { self.home, runtime } do assert(uv.fs_chown(folder, luvd.nobody, luvd.nobody)) end
  elseif luvd.root then
    tree.write(self.own .. "/bin/sudo", SUDO, EVERYBODY)
  end
  self.child = t:spawn(words(self, options), { more_env = {
    "HOME=" .. self.home,
    ("PATH=%s/bin:%s/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"):format(self.own, self.own),
    runtime and "XDG_RUNTIME_DIR=" .. runtime or nil,
  } })
  t:finally(function() self:leave() end)
  loop.wait_for("the session to begin", function()
    if self.child.code then error("the session has ended: " .. self.child.err, 0) end
    return self.child.out:find("prepared\n", 1, true)
  end, 60000)
  self.child.out = ""
  return self
end

--- Runs a text of shell.
---@return { code: integer, command: string, out: string } result code and command of the first that failed (0: none)
function session:run(text, within)
  self.count = self.count + 1
  local file = ("%s/blocks/%d"):format(self.own, self.count)
  tree.write(file, text)
  self.child:write(file .. "\n")
  local code, command = nil, nil
  local ended = loop.poll(function()
    if self.child.code then error(("the shell has ended in:\n%s%s"):format(text, self.child.err), 0) end
    code, command = self.child.out:match "^done (%d+) ([^\n]*)\n"
    return code
  end, within or 60000)
  if not ended then error(("this does not end:\n%s%s"):format(text, proc.slurp(file .. ".out") or ""), 2) end
  self.child.out = ""
  return { code = math.tointeger(tonumber(code)), command = command, out = proc.slurp(file .. ".out") }
end

--- The same, and it must succeed; what it has printed.
function session:must(text)
  local result = self:run(text)
  if result.code ~= 0 then error(("%s: %d\n%s"):format(result.command, result.code, result.out), 2) end
  return result.out
end

--- Writes a file into the shell's folder, as its user; the path.
function session:file(name, text)
  local from = ("%s/blocks/file"):format(self.own)
  tree.write(from, text)
  return self:must(("cat %s >%s && readlink -f %s"):format(from, name, name)):match "[^\n]+"
end

--- Starts a command that runs on, and waits until its output matches the pattern.
---@return fun(): string output what it has printed so far
function session:stays(text, pattern)
  self.count = self.count + 1
  local file = ("%s/blocks/%d"):format(self.own, self.count)
  tree.write(file, text)
  -- In a session of its own it is a group of its own, as at a terminal, and does not ignore Ctrl-C.
  local start = "(trap - INT; exec setsid sh -c '. %s') >%s.out 2>&1 & echo $!"
  local pid = self:must(start:format(file, file)):match "%d+"
  local function output() return proc.slurp(file .. ".out") or "" end
  if not loop.poll(function() return output():find(pattern) end) then
    error(("%q is not in the output of %s%s"):format(pattern, text, output()), 2)
  end
  table.insert(self.staying, { pid = pid, text = text, output = output })
  return output
end

--- Ctrl-C for whatever runs on: luvd must end well by it, other programs are not asked.
function session:interrupt()
  for _, one in ipairs(self.staying) do
    local signal = one.text:find "^luvd" and "INT" or "KILL"
    local result = self:run(("kill -%s -- -%s; wait %s"):format(signal, one.pid, one.pid))
    self:run(("while kill -0 -- -%s; do sleep 0.01; done"):format(one.pid)) -- its children too
    if signal == "INT" and result.code ~= 0 and result.code ~= 130 then
      error(("after Ctrl-C %s has exited with %d: %s"):format(one.text, result.code, one.output()), 2)
    end
  end
  self.staying = {}
end

function session:leave()
  if self.child.code then return end
  self.child:kill "sigkill" -- and with it, by --kill-child, all that is inside
  self.child:wait_exit()
  self.t:assert_no_process()
end

return session

-- `luvd new`: the folder that it makes, and that what is in it works as it is.

local client = require "support.client"
local json = require "dkjson"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"

local TEMPLATES = { "http", "tcp", "udp", "timer" }

-- The files below a folder, sorted, as paths in it.
local function files(folder, prefix, found)
  found = found or {}
  for _, name in ipairs(proc.names(folder)) do
    local path = (prefix or "") .. name
    if uv.fs_lstat(folder .. "/" .. name).type == "directory" then
      files(folder .. "/" .. name, path .. "/", found)
    else
      found[#found + 1] = path
    end
  end
  table.sort(found)
  return found
end

-- A new daemon of the test's name; its folder.
local function new(t, template)
  local result = t:luvd { "new", t.name, table.unpack(template and { "--template", template } or {}) }
  assert.same({ 0, "" }, { result.code, (result.err:gsub("luvd: warning: new: luvd's types [^\n]*\n", "")) })
  return t.folder .. "/" .. t.name, result.out
end

-- A refused one, that changes nothing.
local function refused(t, arguments, options)
  local before = files(t.folder)
  local result = t:luvd({ "new", table.unpack(arguments) }, options)
  assert.equal("", result.out)
  assert.same(before, files(t.folder))
  return result.code, result.err
end

describe("luvd new", function()
  it("makes a folder with all that a daemon needs, and says what to do next", luvd.test(function(t)
    local folder, out = new(t)
    local name = t.name
    local expected = { ".busted", ".editorconfig", ".gitignore", ".luarc.json", "README.md", name .. ".lua",
      "service.lua", ("spec/%s_spec.lua"):format(name) }
    table.sort(expected)
    assert.same(expected, files(folder))
    for _, words in ipairs { "cd " .. name, "luvd test", "luvd start " .. name .. ".lua", "curl http://127.0.0.1:8080/",
      "luvd reload " .. name, "luvd stop " .. name } do
      assert.truthy(out:find("\n  " .. words, 1, true), words .. " is not in: " .. out)
    end
    for _, file in ipairs(expected) do
      assert.is_nil(proc.slurp(folder .. "/" .. file):match "@%u+@", file)
    end
  end))

  it("takes http when nothing else is said", luvd.test(function(t)
    local folder = new(t)
    tree.copy_folder(folder, t.folder .. "/kept")
    tree.remove(folder)
    new(t, "http")
    for _, file in ipairs(files(folder)) do
      assert.equal(proc.slurp(t.folder .. "/kept/" .. file), proc.slurp(folder .. "/" .. file))
    end
  end))

  it("takes a folder that is there and empty", luvd.test(function(t)
    assert(uv.fs_mkdir(t.folder .. "/" .. t.name, tonumber("755", 8)))
    if t.uid then assert(uv.fs_chown(t.folder .. "/" .. t.name, t.uid, t.gid)) end
    assert.is_true(tree.exists(new(t) .. "/service.lua"))
  end))

  it("changes nothing in a folder that is not empty", luvd.test(function(t)
    assert(uv.fs_mkdir(t.folder .. "/" .. t.name, tonumber("755", 8)))
    tree.write(("%s/%s/mine"):format(t.folder, t.name), "mine")
    local code, err = refused(t, { t.name })
    assert.equal(1, code)
    local words = "luvd: new: the folder '%s' is there already, and not empty: nothing was changed; give another name\n"
    assert.equal(words:format(t.name), err)
  end))

  it("says what else stands in its way", luvd.test(function(t)
    tree.write(t.folder .. "/taken", "")
    local code, err = refused(t, { "taken" })
    assert.same({ 1, "luvd: new: cannot open the folder 'taken': not a directory\n" }, { code, err })
    t = luvd.root and t:unprivileged() or t
    assert(uv.fs_mkdir(t.folder .. "/locked", tonumber("555", 8)))
    code, err = refused(t, { "mine" }, { cwd = t.folder .. "/locked" })
    assert.same({ 1, "luvd: new: cannot make the folder 'mine': permission denied\n" }, { code, err })
  end))

  it("removes what it has made when the rest cannot be made", luvd.test(function(t)
    -- Files of this size cannot be written: the first one fails half way, or the first long one.
    for _, size in ipairs { 0, 300, 600 } do
      local line = ("trap '' XFSZ; exec prlimit --fsize=%d %s new %s"):format(size, luvd.binary, t.name)
      local result = t:command { "/bin/sh", "-c", line }
      assert.same({ 1, "" }, { result.code, result.out })
      assert.matches("^luvd: new: cannot write '[^']+': file too large\n$", result.err)
      assert.is_false(tree.exists(t.folder .. "/" .. t.name))
    end
  end))

  it("leaves an empty folder that was there when it fails", luvd.test(function(t)
    assert(uv.fs_mkdir(t.folder .. "/" .. t.name, tonumber("777", 8)))
    assert(uv.fs_chmod(t.folder .. "/" .. t.name, tonumber("777", 8)))
    local line = ("trap '' XFSZ; exec prlimit --fsize=300 %s new %s"):format(luvd.binary, t.name)
    assert.equal(1, t:command({ "/bin/sh", "-c", line }).code)
    assert.same({}, proc.names(t.folder .. "/" .. t.name))
  end))

  it("makes files as the caller's umask says", luvd.test(function(t)
    for umask, modes in pairs { ["077"] = { "700", "600" }, ["022"] = { "755", "644" }, ["002"] = { "775", "664" } } do
      local name = "umask" .. umask
      local line = ("umask %s; exec %s new %s"):format(umask, luvd.binary, name)
      assert.equal(0, t:command({ "/bin/sh", "-c", line }).code)
      local function mode(path) return ("%o"):format(uv.fs_stat(t.folder .. "/" .. path).mode & tonumber("777", 8)) end
      assert.same({ modes[1], modes[1], modes[2] },
        { mode(name), mode(name .. "/spec"), mode(name .. "/" .. name .. ".lua") })
    end
  end))

  it("refuses what is no name, and says why", luvd.test(function(t)
    for name, words in pairs {
      ["../up"] = "new: expected a name, got the path '../up': the folder of this name is made where you are",
      ["a/"] = "new: expected a name, got the path 'a/': the folder of this name is made where you are",
      ["."] = "new: expected a name of letters, digits, \"_\", \".\" and \"-\" that starts with a letter or"
        .. " digit, got '.'",
      ["my daemon"] = "new: expected a name of letters, digits, \"_\", \".\" and \"-\" that starts with a letter or"
        .. " digit, got 'my daemon'",
      ["echo.lua"] = "new: expected a name without \".lua\", got 'echo.lua': luvd new echo",
      service = "new: 'service' is taken: service.lua is the file beside the daemon file",
    } do
      assert.same({ 2, "luvd: " .. words .. "\n" }, { refused(t, { name }) })
    end
    assert.equal(2, (refused(t, { ("a"):rep(65) })))
  end))

  it("wants one name, and a template that there is", luvd.test(function(t)
    assert.same({ 2, "luvd: new: which name? usage: luvd new NAME [--template KIND]\n" }, { refused(t, {}) })
    assert.same({ 2, "luvd: new: unexpected argument 'b'\n" }, { refused(t, { "a", "b" }) })
    assert.same({ 2, "luvd: new: --template: expected http, tcp, udp or timer, got 'htpp'\n" },
      { refused(t, { "a", "--template", "htpp" }) })
  end))

  it("names its templates in the help", luvd.test(function(t)
    assert.matches("%-%-template KIND%s+http %(the default%), tcp, udp or timer", t:luvd({ "new", "--help" }).out)
  end))
end)

describe("the editor settings", function()
  local function settings(folder)
    local text = proc.slurp(folder .. "/.luarc.json")
    local value, _, problem = json.decode(text)
    assert.is_nil(problem)
    return value
  end

  it("are those of Lua 5.4, and know busted and what a daemon file is given", luvd.test(function(t)
    local value = settings(new(t))
    assert.equal("Lua 5.4", value["runtime.version"])
    assert.is_false(value["workspace.checkThirdParty"])
    local known = {}
    for _, name in ipairs(value["diagnostics.globals"]) do known[name] = true end
    for _, name in ipairs { "describe", "it", "before_each", "pending", "host", "include" } do
      assert.is_true(known[name], name)
    end
  end))

  it("point at the types of the sources when luvd was built and not installed", luvd.test(function(t)
    if uv.fs_realpath(luvd.build .. "/luvd") ~= luvd.binary then return end -- a copy, far from the build folder
    assert.same({ luvd.top .. "/lua" }, settings(new(t))["workspace.library"])
  end))

  it("point at the types that were installed beside luvd, with any character in their path", luvd.test(function(t)
    local prefix = t.folder .. [[/a "b" \c]]
    for _, path in ipairs { "", "/bin", "/share", "/share/luvd", "/share/luvd/lua", "/share/luvd/lua/luvd" } do
      assert(uv.fs_mkdir(prefix .. path, tonumber("755", 8)))
    end
    assert(uv.fs_copyfile(luvd.binary, prefix .. "/bin/luvd"))
    tree.copy("lua/luvd/types.lua", prefix .. "/share/luvd/lua/luvd/types.lua")
    local result = t:command { prefix .. "/bin/luvd", "new", t.name }
    assert.same({ 0, "" }, { result.code, result.err })
    local library = settings(t.folder .. "/" .. t.name)["workspace.library"]
    assert.same({ prefix .. "/share/luvd/lua" }, library)
    assert.is_true(tree.exists(library[1] .. "/luvd/types.lua"))
  end))

  it("name no folder when the types are not there, and luvd says so", luvd.test(function(t)
    t:own_binary()
    local result = t:luvd { "new", t.name }
    assert.equal(0, result.code)
    assert.matches("^luvd: warning: new: luvd's types are not installed beside it: in .luarc.json, name", result.err)
    assert.same({}, settings(t.folder .. "/" .. t.name)["workspace.library"])
  end))
end)

for _, template in ipairs(TEMPLATES) do
  describe("the template " .. template, function()
    it("is clean for luacheck, and fits into 120 columns", luvd.test(function(t)
      local folder = new(t, template)
      local result = t:command({ "/usr/bin/luacheck", "--no-color", "--max-line-length", "120", "." }, { cwd = folder })
      assert.equal(0, result.code, result.out)
    end))

    it("is right for check, and its keys are right for luvd help", luvd.test(function(t)
      local folder = new(t, template)
      local result = t:luvd { "check", ("%s/%s.lua"):format(folder, t.name) }
      assert.same({ 0, t.name .. ": the daemon file is right\n" }, { result.code, result.out })
      local text = proc.slurp(("%s/%s.lua"):format(folder, t.name))
      for key in text:gmatch "\n  %-?%-? ?([%w_]+) = " do
        assert.equal(0, t:luvd({ "help", key }).code, key)
      end
    end))

    it("passes its own tests at once, with luvd test and with plain busted", luvd.test(function(t)
      local folder = new(t, template)
      local bin = t.folder .. "/bin"
      assert(uv.fs_mkdir(bin, tonumber("755", 8)))
      assert(uv.fs_symlink(luvd.binary, bin .. "/luvd"))
      assert(uv.fs_symlink(luvd.binary, bin .. "/luvd-lua"))
      local options = { cwd = folder, more_env = { "PATH=" .. bin .. ":/usr/local/bin:/usr/bin:/bin" } }
      for _, line in ipairs { { bin .. "/luvd", "test", "-o", "TAP" }, { "/usr/bin/busted", "-o", "TAP" } } do
        local result = t:command(line, options)
        assert.same({ 0, 2, nil }, { result.code, select(2, result.out:gsub("%f[^\n\0]ok ", "")),
          result.out:match "not ok.*" }, result.out .. result.err)
      end
    end))

    it("fails its tests when it is broken", luvd.test(function(t)
      local folder = new(t, template)
      local service = folder .. "/service.lua"
      local broken = '%0  do error "broken" end\n'
      tree.write(service, (proc.slurp(service):gsub("function service.start%(daemon%)\n", broken, 1)))
      local result = t:luvd({ "test", "-o", "TAP" }, { cwd = folder })
      assert.equal(1, result.code, result.out .. result.err)
      assert.matches("\nnot ok ", "\n" .. result.out)
    end))

    it("starts, reloads another config in place, and stops", luvd.test(function(t)
      local folder = new(t, template)
      local file = ("%s/%s.lua"):format(folder, t.name)
      local text = proc.slurp(file):gsub("([a-z]+://127%.0%.0%.1:)%d+", "%10")
      tree.write(file, text)
      local daemon = t:start(file)
      local before = daemon:worker()
      for key, value in pairs { greeting = "welcome", welcome = "what?", every = "20s", message = "hm" } do
        text = text:gsub(("(config = {.-%s = )%%b\"\""):format(key), ("%%1%q"):format(value))
      end
      assert.not_equal(proc.slurp(file), text)
      tree.write(file, text)
      local verdict = daemon:reload()
      assert.same({ 0, "" }, { verdict.code, verdict.err })
      assert.equal(before, daemon:worker())
      daemon:stop()
      assert.is_nil(daemon:log():find("error", 1, true))
    end))
  end)
end

describe("the template timer", function()
  it("refuses a period that is none, and goes on with the old one", luvd.test(function(t)
    local file = ("%s/%s.lua"):format(new(t, "timer"), t.name)
    local daemon = t:start(file)
    tree.write(file, (proc.slurp(file):gsub('every = "10s"', 'every = "soon"')))
    local verdict = daemon:reload()
    assert.equal(1, verdict.code)
    assert.matches("soon", verdict.err)
    assert.is_true(daemon:alive())
    daemon:stop()
  end))
end)

describe("the template http", function()
  it("answers a route that a newcomer adds, after a reload", luvd.test(function(t)
    local folder = new(t)
    local file, service = ("%s/%s.lua"):format(folder, t.name), folder .. "/service.lua"
    tree.write(file, (proc.slurp(file):gsub(":8080", ":0")))
    local daemon = t:start(file)
    local address = daemon:address()
    assert.matches("^HTTP/1.1 404 ", client.ask(address, "GET /time HTTP/1.0\r\n\r\n"))
    tree.write(service, (proc.slurp(service):gsub("  return router", '  router:get("/time", function()\n'
      .. '    return os.date "%%H:%%M\\n"\n  end)\n\n  return router')))
    assert.equal(0, daemon:reload().code)
    -- The old worker may take one more connection while it is told to leave.
    loop.wait_for("the new route", function()
      return client.ask(address, "GET /time HTTP/1.0\r\n\r\n"):match "\r\n\r\n%d%d:%d%d\n$"
    end)
    daemon:stop()
  end))
end)

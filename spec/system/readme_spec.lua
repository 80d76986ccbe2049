-- What the README says, tried.

local blocks = require "support.blocks"
local client = require "support.client"
local luvd = require "support.luvd"
local proc = require "support.proc"
local tree = require "support.tree"
local uv = require "luv"

local readme = proc.slurp "README.md"

describe("the README", function()
  it("shows a service that works", luvd.test(function(t)
    local files, names, others = blocks.files(readme)
    assert.same({}, others)
    for _, name in ipairs(names) do t:file(files[name], name) end
    local file = t.folder .. "/" .. names[1]
    assert.equal(0, t:luvd({ "check", file }).code)
    local sets = { "--set", "name=" .. t.name, "--set", "listen.door=tcp://127.0.0.1:0" }
    if not luvd.root then
      for _, word in ipairs { "--set", "user=", "--set", "chroot=" } do sets[#sets + 1] = word end
    end
    local d = t:start(file, sets)
    d.file = t.name
    assert.equal("hello you\n", client.ask(d:address(), "you\n"))
    d:stop()
  end))

  it("has every command and every exit code of luvd help", luvd.test(function(t)
    local help = t:luvd({ "help" }).out:match "^(.-)\nkeys of"
    for command in help:gmatch "\n  (%l+) " do
      assert.truthy(readme:find("`" .. command, 1, true), command .. " is not in the README")
    end
  end))

  it("shows the plan of the jail example as it is", luvd.test(function(t)
    local result = t:luvd({ "plan", "examples/jail/jail.lua", "--as", "root" }, { cwd = luvd.top })
    local shown = blocks.of(readme, "text")[1]
    local here = result.out:gsub(luvd.top:gsub("%p", "%%%0") .. "/examples", "/etc")
    assert.equal(here, shown)
  end))

  it("names files that exist", function()
    for path in readme:gmatch "%]%(([%w_/%.]+)%)" do
      assert.is_true(tree.exists(path), path)
    end
  end)

  it("names every example, and none that is not there", function()
    local shown = {}
    for name in readme:match("| example |.-\n\n"):gmatch "\n| `(%w+)` |" do shown[#shown + 1] = name end
    table.sort(shown)
    assert.same(proc.names "examples", shown)
  end)

  it("says truly how to install, find and uninstall it", luvd.root_test(function(t)
    local prefix = t.folder .. "/usr"
    local result = t:command({ "/usr/bin/cmake", "--install", luvd.top .. "/" .. luvd.build, "--prefix", prefix })
    assert.equal(0, result.code, result.err)
    assert.matches("^luvd ", t:command({ prefix .. "/bin/luvd", "version" }).out)
    for _, path in ipairs { "share/luvd/examples/jail/jail.lua", "share/luvd/lua/luvd/types.lua",
      "share/luvd/lua/luvd/keys.lua", "share/man/man1/luvd.1", "share/man/man3/luvd.lua.3",
      "share/man/man5/luvd.conf.5", "share/bash-completion/completions/luvd",
      "share/fish/vendor_completions.d/luvd.fish", "share/zsh/site-functions/_luvd" } do
      assert.is_true(tree.exists(prefix .. "/" .. path), path)
    end
    for line in readme:gmatch "sudo (rm [^\n]*/usr/local[^\n]*)" do
      result = t:command { "/bin/sh", "-ec", (line:gsub("/usr/local", prefix)) }
      assert.equal(0, result.code, result.err)
    end
    assert.equal("", t:command({ "/usr/bin/find", prefix, "!", "-type", "d" }).out)
  end))

  it("says truly what a daemon file must belong to", luvd.root_test(function(t)
    local file = t:example "jail"
    uv.fs_chown(file, luvd.nobody, luvd.nobody)
    local result = t:luvd { "start", file }
    assert.not_equal(0, result.code)
    assert.matches(t.name .. ".lua", result.err, 1, true)
    t:assert_nothing_left()
  end))

  it("says truly what a busy port's error shows", luvd.test(function(t)
    local file = t:example "hello"
    local taken = uv.new_tcp()
    taken:bind("127.0.0.1", 0)
    taken:listen(1, function() end)
    local address = ("tcp://127.0.0.1:%d"):format(taken:getsockname().port)
    local result = t:failed_start(file, { "--set", "listen.web=" .. address })
    local shown = blocks.of(readme, "text")[2]:match "cannot bind.*":gsub("tcp://127.0.0.1:8080", address)
    assert.truthy(result.err:find(shown, 1, true), result.err)
    taken:close()
  end))
end)

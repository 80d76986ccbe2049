-- Completion in the shells: the same in each, as far as they can.

local facts = require "make.facts"
local luvd = require "support.luvd"
local shells = require "support.shells"
local tree = require "support.tree"

local all = assert(facts.ask(luvd.binary))

local function names(list, prefix)
  local found = {}
  for _, item in ipairs(list) do
    if item.name:sub(1, #prefix) == prefix then found[#found + 1] = item.name end
  end
  table.sort(found)
  return found
end

for _, shell in ipairs(shells) do
  describe("completion in " .. shell.name, function()
    local function it_offers(what, body)
      it(what, shell.binary and luvd.test(body) or function() pending(shell.name .. " is not installed") end)
    end

    it_offers("offers the commands", function(t)
      assert.same(names(all.commands, "st"), shell:offers(t, "luvd st"))
      assert.same(names(all.commands, "re"), shell:offers(t, "luvd re"))
    end)

    it_offers("offers the options of the command, and no others", function(t)
      for _, command in ipairs { "run", "logs", "status", "test", "new" } do
        local wanted = names(facts.options(all, all.commands[command]), "--")
        local found = {}
        for _, name in ipairs(shell:offers(t, ("luvd %s --"):format(command))) do
          if name:match "^%-%-" then found[#found + 1] = name:match "^(.-)=?$" end
        end
        assert.same(wanted, found)
      end
    end)

    it_offers("offers what an option may be", function(t)
      local wanted = table.move(all.options["--for"].choices, 1, 9, 1, {})
      table.sort(wanted)
      assert.same(wanted, shell:offers(t, "luvd unit x.lua --for "))
      assert.same({ "root" }, shell:offers(t, "luvd plan x.lua --as "))
    end)

    it_offers("offers keys as far as the next dot", function(t)
      assert.same({ "limits.", "listen.", "log.", "log=", "lua." }, shell:offers(t, "luvd run x.lua --set l"))
      assert.same({ "log.facility=", "log.format=" }, shell:offers(t, "luvd start x.lua --set log.f"))
      assert.same({}, shell:offers(t, "luvd run x.lua --set nothing"))
    end)

    it_offers("offers keys below a name of the user's own", function(t)
      assert.same({ "listen.web.", "listen.web=" }, shell:offers(t, "luvd run x.lua --set listen.web"))
      assert.same({ "listen.web.max_connections=", "listen.web.max_per_peer=" },
        shell:offers(t, "luvd run x.lua --set listen.web.max"))
    end)

    it_offers("offers the values of a key, when they are few", function(t)
      local function values(line)
        local list = {}
        for _, word in ipairs(shell:offers(t, line)) do list[#list + 1] = word:match "([^=]+)$" end
        return list
      end
      assert.same({ "debug", "error", "info", "warn" }, values "luvd run x.lua --set log.level=")
      assert.same({ "true" }, values "luvd run x.lua --set console=t")
      assert.same({ "debug" }, values "luvd run x.lua --set=log.level=d")
    end)

    it_offers("offers keys and commands after help", function(t)
      assert.same({ "log", "log.facility", "log.format", "log.level", "log.to", "logs" },
        shell:offers(t, "luvd help log"))
    end)

    it_offers("offers files of Lua and folders, and no other file", function(t)
      for _, name in ipairs { "one.lua", "one.txt" } do tree.write(t.folder .. "/" .. name, "") end
      local found = table.concat(shell:offers(t, "luvd check on"), " ")
      assert.equal("one.lua", found)
    end)

    it_offers("offers the names of daemons that run", function(t)
      t:unprivileged()
      local d = t:start(t:file 'return { service = { start = function() end } }')
      local prefix = t.name:sub(1, -2)
      for _, command in ipairs { "stop", "status", "reload", "restart" } do
        local found = {}
        for _, name in ipairs(shell:offers(t, ("luvd %s %s"):format(command, prefix))) do
          if not name:match "%.lua$" then found[#found + 1] = name end
        end
        assert.same({ t.name }, found)
      end
      d:stop()
      for _, name in ipairs(shell:offers(t, "luvd status " .. prefix)) do assert.not_equal(t.name, name) end
    end)
  end)
end

describe("the completions", function()
  it("are right as their shells read them", luvd.test(function(t)
    for _, shell in ipairs(shells) do
      if shell.binary then
        local result = t:command { shell.binary, "-n", ("%s/%s/docs/%s"):format(luvd.top, luvd.build, shell.file) }
        assert.same({ 0, "" }, { result.code, result.err })
      end
    end
  end))

  it("have every command and every option", function()
    for _, shell in ipairs(shells) do
      local text = shells.text(shell)
      for _, command in ipairs(all.commands) do
        assert.truthy(text:find("%f[%w]" .. command.name .. "%f[%W]"), shell.name .. ": " .. command.name)
        for _, option in ipairs(facts.options(all, command)) do
          local word = option.name:match "^%-+(.*)$":gsub("%-", "%%-")
          assert.truthy(text:find("[%s%-]" .. word .. "%f[^%w-]"), shell.name .. ": " .. option.name)
        end
      end
    end
  end)
end)

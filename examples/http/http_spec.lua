local browser = require "support.browser"
local client = require "support.client"
local http = require "support.http"
local loop = require "support.loop"
local luvd = require "support.luvd"
local proc = require "support.proc"
local uv = require "luv"

describe("http", function()
  local function start(t, ...)
    local d = t:start(t:example "http", { "--set", "listen.web.address=tcp://127.0.0.1:0", ... })
    local address = d:address()
    local function ask(line, body, headers)
      return http.ask(address, line, headers or body and { "Content-Type: application/json" }, body)
    end
    return ask, d, address
  end

  local function body_of(answer) return luvd.json.decode(answer.body) end

  it("keeps notes: adds, gives, lists and removes them", luvd.test(function(t)
    local ask, d = start(t)
    local added = ask("POST /api/notes", '{"author":"Ann","text":"Hello"}')
    assert.same({ 201, "/api/notes/1", "application/json" },
      { added.status, added.headers.location, added.headers["content-type"] })
    assert.equal("Hello", body_of(ask "GET /api/notes/1").text)
    assert.equal(1, #body_of(ask "GET /api/notes").notes)
    assert.equal(204, ask("DELETE /api/notes/1").status)
    assert.equal(404, ask("GET /api/notes/1").status)
    assert.equal('{"notes":[]}', ask("GET /api/notes").body)
    assert.equal("GET, HEAD, OPTIONS, POST", ask("DELETE /api/notes").headers.allow)
    d:stop()
  end))

  it("tells what is wrong with a note, field by field", luvd.test(function(t)
    local ask, d = start(t)
    local refused = ask("POST /api/notes", '{"text":" ","colour":"red"}')
    assert.equal(422, refused.status)
    assert.same({ errors = { author = "must be a text that is not empty", text = "must be a text that is not empty",
      colour = "is unknown" } }, body_of(refused))
    local long = ask("POST /api/notes", ('{"author":"%s","text":"x"}'):format(("é"):rep(41)))
    assert.same({ errors = { author = "must have at most 40 characters" } }, body_of(long))
    assert.same({ errors = { note = "must be an object" } }, body_of(ask("POST /api/notes", "7")))
    local broken = ask("POST /api/notes", '{"author"')
    assert.equal(400, broken.status)
    assert.matches("^1:10: ", body_of(broken).error)
    assert.equal(413, ask("POST /api/notes", '"' .. ("x"):rep(20000) .. '"').status)
    assert.equal(415, ask("POST /api/notes", "{}", { "Content-Type: text/plain" }).status)
    assert.equal('{"notes":[]}', ask("GET /api/notes").body)
    d:stop()
  end))

  it("takes and gives files as streams, whole or in parts", luvd.test(function(t)
    local _, d, address = start(t)
    local url = address:gsub("^tcp", "http") .. "/files/data.bin"
    local from, to = t.folder .. "/from", t.folder .. "/to"
    local file = assert(io.open(from, "w"))
    for i = 1, 300000 do file:write(("%09d\n"):format(i)) end
    file:close()
    local put = t:command { "/usr/bin/curl", "-sS", "-T", from, url }
    assert.equal(3000000, luvd.json.decode(put.out).size)
    assert.equal(0, t:command({ "/usr/bin/curl", "-sS", "-o", to, url }).code)
    assert.is_true(proc.slurp(from) == proc.slurp(to))
    assert.equal("000000003\n", t:command({ "/usr/bin/curl", "-sS", "-r", "20-29", url }).out)
    d:stop()
  end))

  it("refuses uploads that are too long, cut off, too many or oddly named, and leaves nothing of them",
    luvd.test(function(t)
      local ask, d, address = start(t, "--set", "config.max_upload=1000", "--set", "config.max_files=1")
      local folder
      for _, path in ipairs { "/var/lib/" .. t.name, (t.home or "") .. "/.local/state/" .. t.name } do
        if uv.fs_stat(path .. "/files") then folder = path .. "/files" end
      end
      assert.equal(413, ask("PUT /files/a", ("x"):rep(1001)).status)
      assert.equal(413, ask("PUT /files/a", nil, { "Transfer-Encoding: chunked\r\n\r\n3e9\r\n" .. ("x"):rep(1001) ..
        "\r\n0" }).status)
      local cut = client.connect(address)
      cut:write "PUT /files/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"
      loop.wait_for("the beginning", function() return #proc.names(folder) == 1 end)
      cut:close()
      loop.wait_for("it to be removed", function() return #proc.names(folder) == 0 end)
      assert.equal(422, ask("PUT /files/.hidden", "x").status)
      assert.equal(201, ask("PUT /files/a", "x").status)
      assert.equal(200, ask("PUT /files/a", "yz").status)
      assert.equal(507, ask("PUT /files/b", "x").status)
      assert.same({ "a" }, proc.names(folder))
      assert.equal("yz", ask("GET /files/a").body)
      d:stop()
    end))

  it("tells every change to those who listen, and ends their streams at stop", luvd.test(function(t)
    local ask, d, address = start(t)
    local events = client.connect(address)
    events:write "GET /events HTTP/1.1\r\nHost: x\r\n\r\n"
    loop.wait_for("the state", function() return events.received:find('"notes":[]', 1, true) end)
    ask("POST /api/notes", '{"author":"Ann","text":"Hello"}')
    loop.wait_for("the note", function() return events.received:find('"text":"Hello"', 1, true) end)
    assert.matches("\r\nContent%-Type: text/event%-stream\r\n", events.received)
    d:stop()
    assert.matches("\r\n0\r\n\r\n$", events:read_all())
    events:close()
  end))

  it("has a page that shows in a browser what the API was given", browser.binary and luvd.test(function(t)
    local ask, d, address = start(t)
    ask("POST /api/notes", '{"author":"Ann","text":"<b>first</b>"}')
    local page = browser.open(t, address:gsub("^tcp", "http") .. "/")
    page:wait "document.querySelector('#connection[data-state=live]')"
    assert.equal("<b>first</b>", page:wait "document.querySelector('#notes li p')?.textContent")
    ask("POST /api/notes", '{"author":"Bob","text":"second"}')
    page:wait "document.querySelectorAll('#notes li').length == 2"
    assert.equal("second", page:eval "document.querySelector('#notes p').textContent") -- the last one comes first
    page:eval [[
      document.forms[0].author.value = "Eve";
      document.forms[0].text.value = "from the page";
      document.querySelector("#write button").click();]]
    page:wait "document.querySelectorAll('#notes li').length == 3"
    local notes = body_of(ask "GET /api/notes").notes
    assert.same({ "Eve", "from the page" }, { notes[3].author, notes[3].text })
    page:eval "document.querySelector('#notes button').click()"
    page:wait "document.querySelectorAll('#notes li').length == 2"
    ask("PUT /files/report.txt", "x")
    assert.equal("report.txt", page:wait "document.querySelector('#files a')?.textContent")
    page:close()
    d:stop()
  end) or function() pending "no browser is installed: chromium-headless-shell" end)
end)

-- What the specs read out of a page.

local blocks = require "support.blocks"

local page = [[
# A page

<!-- of no block -->

<!-- here: mkdir x -->
<!-- exits: 2 -->
```sh
ls
```

Text.

```output
```

```lua
-- spec/one_spec.lua: a file
return 1
```
]]

describe("the blocks of a page", function()
  it("have language, text, line, name and notes", function()
    assert.same({
      { language = "sh", text = "ls\n", line = 7, notes = { here = "mkdir x", exits = "2" }, "ls" },
      { language = "output", text = "", line = 13, notes = {} },
      { language = "lua", text = "-- spec/one_spec.lua: a file\nreturn 1\n", line = 16, notes = {},
        name = "spec/one_spec.lua", "-- spec/one_spec.lua: a file", "return 1" },
    }, blocks.all(page))
  end)

  it("refuse a note that says nothing to anybody, and one without an end", function()
    assert.error_matches(function() blocks.all "<!-- skip: no -->\n```sh\n```\n" end, "not a note")
    assert.error_matches(function() blocks.all "<!-- not run: -->\n```sh\n```\n" end, "not a note")
    assert.error_matches(function() blocks.all "<!-- exits: 1 -->\n<!-- exits: 2 -->\n```sh\n```\n" end, "second")
    assert.error_matches(function() blocks.all "```sh\nls\n" end, "no end")
  end)
end)

describe("what a page shows", function()
  it("is what was printed, but for numbers, units, folders and columns", function()
    assert.is_true(blocks.shows("a:  ready in 3 ms, /run/a/x, 1.5 KiB\n", "a: ready in 1.25 s, /tmp/b/x, 17 MiB\n\n"))
    assert.is_false(blocks.shows("a: ready\n", "b: ready\n"))
    assert.is_false(blocks.shows("a\n", "a\nb\n"))
    assert.is_false(blocks.shows("a\nb\n", "a\n"))
    assert.is_false(blocks.shows("3 workers\n", "3 listeners\n"))
  end)

  it("may leave lines out", function()
    assert.is_true(blocks.shows("a\n...\nd\n", "a\nb\nc\nd\n"))
    assert.is_true(blocks.shows("...\n", ""))
    assert.is_false(blocks.shows("a\n...\nd\n", "a\nb\n"))
  end)
end)

local metrics = require "support.metrics"

describe("the strict reader of metrics", function()
  local head = "# HELP a_total Counts.\n# TYPE a_total counter\n"

  it("takes what is right, and undoes escapes", function()
    local families = metrics.parse(head .. 'a_total{x="a\\\\b\\"c\\nd",y=""} 1\na_total{} 2.5\n')
    assert.same({ x = 'a\\b"c\nd', y = "" }, families.a_total.samples[1].labels)
    assert.equal(3.5, metrics.sum(families, "a_total"))
    assert.equal(1, metrics.sum(families, "a_total", { y = "" }))
  end)

  for name, text in pairs {
    ["a page without an end"] = head .. "a_total{} 1",
    ["a sample without HELP and TYPE"] = "a_total{} 1\n",
    ["a family without TYPE"] = "# HELP a_total Counts.\n",
    ["an unknown type"] = "# HELP a A.\n# TYPE a number\n",
    ["a family that comes twice"] = head .. head,
    ["a series that comes twice"] = head .. 'a_total{x="1",y="2"} 1\na_total{y="2",x="1"} 1\n',
    ["a label that comes twice"] = head .. 'a_total{x="1",x="2"} 1\n',
    ["a comma at the end"] = head .. 'a_total{x="1",} 1\n',
    ["a bare quote in a label"] = head .. 'a_total{x="1"2"} 1\n',
    ["an unknown escape"] = head .. 'a_total{x="\\t"} 1\n',
    ["a value that is no number"] = head .. "a_total{} one\n",
    ["an empty line"] = head .. "\n",
    ["a counter that is not named so"] = "# HELP a A.\n# TYPE a counter\na{} 1\n",
    ["a negative counter"] = head .. "a_total{} -1\n",
    ["what is not UTF-8"] = head .. 'a_total{x="\255"} 1\n',
  } do
    it("refuses " .. name, function() assert.has_error(function() metrics.parse(text) end) end)
  end
end)

return {
  name = "../etc",
  description = "two\nlines",
  service = { start = function() end },
}

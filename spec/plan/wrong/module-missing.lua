return {
  service = {
    start = function()
      local there = pcall(require, "not.needed")
      require "settings.web"
    end,
  },
}

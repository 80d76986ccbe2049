-- What the daemon is. It is read as data, before anything is done: `luvd check` tells what is wrong in it, `luvd help`
-- which keys there are, `luvd help KEY` what one means.
---@type luvd.DaemonFile
return {
  config = { every = "10s", message = "still here" }, -- for the service, as daemon.config
  service = "./service.lua",
  -- user = "nobody",                                 -- who it becomes when root has started it
}

-- Removes old files from a folder, again and again. No socket; the log is rotated by logrotate
-- (see the file logrotate beside this one).
return {
  description = "removes old uploads",
  user = "www-data",
  log = { to = "/var/log/sweep.log", level = "info" }, -- USR1 opens it anew; no code for that
  config = { folder = "/var/tmp/uploads", older_than = "7d", every = "10m" },
  service = "./sweeper.lua",
}

-- A daemon file that wants every step: what the sweeps over system calls start. One process unless workers says how
-- many.

local jailed = {}

function jailed.file(t, workers)
  return t:file(([[
local net = require "luvd.net"
return {
  workers = %d,
  listen = { web = "tcp://127.0.0.1:0", side = "unix:%s/side" },
  files = { series = { path = "%s/series", mode = "a" } },
  log = "%s/the.log",
  user = "nobody",
  groups = { "audio" },
  capabilities = { "net_bind_service" },
  chroot = "auto",
  umask = "027",
  directories = { runtime = true, state = true },
  limits = { nofile = 1000, core = 0 },
  priority = { nice = 1, oom_score = 100 },
  service = {
    start = function(daemon)
      net.serve(daemon.listeners.web, function(conn) conn:write "hello\n" end)
    end,
  },
}
]]):format(workers or 0, t.folder, t.folder, t.folder))
end

--- What /proc must say of it, whatever went wrong on the way: never more than was asked.
function jailed.privileges(status)
  return { uid = table.concat(status.Uid, " "), gid = table.concat(status.Gid, " "),
    groups = #status.Groups, permitted = status.CapPrm[1], effective = status.CapEff[1],
    bounding = status.CapBnd[1], ambient = status.CapAmb[1], no_new_privs = status.NoNewPrivs[1] }
end

return jailed

-- --set umask=22 --set user --set listen.web.backlog=none --set log.levl=debug --set config.a.b=1 --set usre=nobody
return {
  service = { start = function() end },
  listen = { web = "tcp://127.0.0.1:80" },
  config = { a = 5 },
}

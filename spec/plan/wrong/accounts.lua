return {
  service = { start = function() end },
  user = true,
  group = -1,
  groups = "adm",
  chroot = "aut",
  pidfile = true,
  control = 5,
}

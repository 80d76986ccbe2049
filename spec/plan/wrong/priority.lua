return {
  service = { start = function() end },
  priority = {
    nice = 20,
    oom_score = "high",
    cpus = { 0, -1, "x" },
    ioprio = "best-effort",
  },
}

return {
  user = "nobody",
  umask = 27,
}

return {
  user =
}

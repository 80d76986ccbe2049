return {
  user = nobody,
}

local spec = { name = "forgotten" }

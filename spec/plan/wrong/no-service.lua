return { name = "lost" }

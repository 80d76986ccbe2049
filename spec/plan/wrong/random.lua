return { config = { seed = math.random(5) } }

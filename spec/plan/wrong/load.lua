return load("return {}")()

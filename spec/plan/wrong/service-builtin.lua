return { service = "uv" }

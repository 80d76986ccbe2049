return { service = "parts.asker" }

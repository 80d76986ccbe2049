return { service = 5 }

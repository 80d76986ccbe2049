return { service = "./nowhere.lua" }

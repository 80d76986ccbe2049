return { service = "parts/room.lua" }

return { service = { start = function() end }, log = "jurnal" }

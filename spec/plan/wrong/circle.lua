local config = {}
config.again = config
return { service = { start = function() end }, config = config }

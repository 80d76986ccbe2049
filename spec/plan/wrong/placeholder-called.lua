local log = require "luvd.log"

log:info("reading")
return {}

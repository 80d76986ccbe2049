local there = require "parts.nobody"
return there

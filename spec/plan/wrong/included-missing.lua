return include "parts/absent.lua"

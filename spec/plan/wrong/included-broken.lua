return include "parts/broken.lua"

return include "circle.lua"

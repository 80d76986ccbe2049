return include "parts/circle.lua"

std = "lua54"
max_line_length = 120
exclude_files = { "build*/**", "spec/plan/wrong/**" } -- wrong on purpose
files["**/*_spec.lua"] = { std = "+busted" }
files["spec/support/*.lua"] = { std = "+busted" }
files["examples/http/http.lua"] = { read_globals = { "host" } } -- what daemon files are given
files["lua/luvd/types.lua"] = { ignore = { "212", "241", "631" } } -- declarations, nothing runs
files["lua/luvd/types/*.lua"] = { ignore = { "212", "241", "631" } }
files["lua/luvd/keys.lua"] = { ignore = { "631" } } -- made by docs/make.lua
ignore = { "211/leave" } -- a <close> value: its end is its use

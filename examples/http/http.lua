-- A board of notes: a JSON API, files that come and go as streams, and a page that shows it all as it happens.
return {
  description = "keeps notes and files for everybody who can reach it",
  listen = { web = { address = "tcp://127.0.0.1:8080", max_connections = 500 } },
  directories = { state = true },                  -- daemon.directories.state: files that were uploaded
  config = {
    pages = host.directory .. "/pages",
    max_notes = 100,                               -- one more, and the oldest goes
    max_upload = "64MiB",
    max_files = 100,
  },
  service = "./board.lua",
}

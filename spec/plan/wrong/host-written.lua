host.env.PATH = "/"
return {}

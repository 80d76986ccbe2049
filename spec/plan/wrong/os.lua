local home = os.getenv("HOME")
return { chdir = home }

return { name = host.hostnam }

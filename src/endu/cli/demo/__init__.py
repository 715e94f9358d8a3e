"""`endu demo`: an organization of made-up people whose true story is planned and known."""

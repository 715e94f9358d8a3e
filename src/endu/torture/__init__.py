"""`endu torture`: Endu's first promises, tried by force on the user's own machine."""

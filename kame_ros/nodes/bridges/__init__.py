"""What the bridge carries to and from messages of other packages, a file for each kind."""

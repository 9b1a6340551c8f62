"""Programs that look at a running graph from outside: bring it up, hear it, make it speak."""

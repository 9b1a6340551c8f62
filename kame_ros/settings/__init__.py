"""Settings as people write them, read in the type that each parameter has."""

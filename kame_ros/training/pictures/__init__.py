"""Training as pictures."""

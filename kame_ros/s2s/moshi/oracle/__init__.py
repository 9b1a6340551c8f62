"""Text into the oracle stream of the model, and the monologue out of it."""

"""A training run: its beginning, its steps, its state, its result."""

"""The `small` front-end: one small model that hears, is told the oracle, and speaks, on a CPU."""

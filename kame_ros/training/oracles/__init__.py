"""The oracles that a training dialogue would have had."""

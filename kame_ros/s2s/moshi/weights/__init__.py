"""Finds, reads and loads checkpoints of Moshi and KAME."""

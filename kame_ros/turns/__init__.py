"""Whose turn it is: voice activity, ends of turns, interruptions. Pure policies, time passed in."""

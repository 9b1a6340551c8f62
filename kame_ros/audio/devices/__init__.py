"""Microphones, loudspeakers, and what stands in for them."""

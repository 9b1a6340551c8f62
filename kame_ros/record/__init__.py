"""Turns, latency and the record of a session. No ROS."""

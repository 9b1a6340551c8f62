"""Answers a recorded conversation again, on virtual time, with the parts of the graph. No ROS."""

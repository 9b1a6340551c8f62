"""The back-end: a growing transcript in, ever better answers (oracles) out. No ROS."""

"""Streaming speech-to-text: frames in, growing transcripts out. No ROS."""

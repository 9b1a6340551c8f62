"""The speech-to-speech front-ends: a frame of the user in, a frame of the robot out. No ROS."""

"""Sound: frames, files, devices, buffers and voice activity. No ROS."""

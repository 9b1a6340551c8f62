"""Sound: files, microphones and loudspeakers, echo, and playing without gaps. No ROS."""

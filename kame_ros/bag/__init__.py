"""Files that hold a conversation, as `ros2 bag` has them: writing them and reading them. No ROS."""

"""The page that shows a conversation, and the socket through which anybody joins it. No ROS."""

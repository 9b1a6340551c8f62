"""What happens in a conversation: a bounded model of the last minute and of the turns. No ROS."""

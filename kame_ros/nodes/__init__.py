"""The ROS nodes, and all else that knows ROS."""

from kame_ros import early

early.begin()

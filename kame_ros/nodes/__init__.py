"""The ROS nodes, and all else that knows ROS."""

from kame_ros.graph import early

early.begin()

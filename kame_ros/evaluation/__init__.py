"""How good a spoken conversation is: suites, turns from sound, scores, judges, reports. No ROS."""

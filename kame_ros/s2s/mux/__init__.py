"""From the chunks of all sources to the one text that the robot should say now."""

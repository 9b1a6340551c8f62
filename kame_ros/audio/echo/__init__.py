"""Takes the robot's own voice out of the microphone."""

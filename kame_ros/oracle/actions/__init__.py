"""What the LLM may ask the robot to do, and what becomes of it."""

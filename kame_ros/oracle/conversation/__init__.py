"""What the oracle knows of the conversation, and what it shows the LLM."""

"""What an LLM writes, on its way to the topic: without reasoning, and no longer than allowed."""

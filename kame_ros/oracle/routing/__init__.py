"""Which LLM fits a question."""

"""When to ask the LLM, which answer to keep, when to give up. Pure policies."""

"""Which LLM is asked, and one answer of it in the making."""

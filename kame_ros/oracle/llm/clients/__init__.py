"""Connections to LLMs, one file each; SDKs are imported when a client is made."""

"""The `tts` front-end: a small voice on a CPU that speaks the oracle."""

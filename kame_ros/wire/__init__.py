"""The typed streams between nodes, as plain Python: frames, transcripts, oracles, turns."""

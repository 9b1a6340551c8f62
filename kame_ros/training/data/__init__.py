"""From recordings and transcripts to shards of tokens, and to batches."""

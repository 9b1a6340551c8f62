"""What every node runs on: the thread that owns a model, bounded queues, times, weights."""

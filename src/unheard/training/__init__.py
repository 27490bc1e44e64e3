"""Training: batches, the loop, checkpoints, and what comes out of it."""

"""The search for what a paper leaves open, on dev speakers only."""

"""What ``unheard predict`` does: many recordings through one recognizer, and how the answers are written."""

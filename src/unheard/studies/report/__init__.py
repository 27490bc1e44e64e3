"""The report of a study: its numbers, its parts, the page."""

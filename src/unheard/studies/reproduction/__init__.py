"""A paper's whole study, and its published tables beside ours."""

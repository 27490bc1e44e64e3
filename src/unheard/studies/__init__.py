"""Studies: recipes × folds × seeds under one protocol, and the report that compares them."""

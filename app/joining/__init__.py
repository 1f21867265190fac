"""The page "Your columns"."""

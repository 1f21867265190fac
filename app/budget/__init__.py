"""The page "Budget"."""

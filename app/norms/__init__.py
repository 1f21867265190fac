"""The page "Norm statistics"."""

"""The page "Easy & hard"."""

"""The page "Saliency & loops"."""

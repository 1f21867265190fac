"""Image sets; ``datasets.load_split`` opens them."""

"""Networks, gates and norms; ``registry.create_model`` builds them by name."""

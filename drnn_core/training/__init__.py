"""The training loop, its loss and its resumable state."""

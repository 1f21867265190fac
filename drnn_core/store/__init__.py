"""Runs on disk, see docs/storage.md."""

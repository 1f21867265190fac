"""The Inspect page, in parts: where pictures come from, and what is shown of each."""

"""A trained network at work: predictions, records, skipping, export."""

"""What the Distribution page is made of: its controls, figures, texts and downloads."""

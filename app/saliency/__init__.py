"""What the Saliency & loops page is made of: choices, relations, figures, examples, the check."""

"""Dynamic recursive neural networks: models, training, inference and analysis; knows no app."""

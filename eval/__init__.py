"""Evaluation: test sets, metrics and the training of what the assistant ships."""

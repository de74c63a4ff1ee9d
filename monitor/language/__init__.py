"""Identifies the language of a text, and shares the model for this between processes."""

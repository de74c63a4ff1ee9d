"""Rules over a sentence: which leaders are in contact, and whether it happened. Pure."""

"""The rules for one sentence: which leaders are in contact, and whether it happened. Pure."""

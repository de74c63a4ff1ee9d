"""Claims: one sighting for each contact that an article reports, and which articles carry the same text."""

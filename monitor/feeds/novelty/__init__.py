"""A document to new and changed articles: keys of entries, what was seen, filters. Pure."""

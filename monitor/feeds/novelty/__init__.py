"""Find the new and changed entries of a feed document, by comparing it with what was seen before. Pure functions."""

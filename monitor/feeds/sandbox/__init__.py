"""Parsing in guarded processes: limits on memory and processor time, and replacement of those that die."""

"""Feeds: which ones are subscribed to, how they are polled, and how their entries become articles."""

"""Feeds: what is subscribed to, how it is polled, and how its entries become articles."""

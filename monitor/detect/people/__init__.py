"""Finds which leaders the noun phrases of a text mean, among those in office on the article's day. Pure."""

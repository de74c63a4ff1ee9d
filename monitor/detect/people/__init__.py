"""Noun phrases to leaders in office on the article's day. Pure."""

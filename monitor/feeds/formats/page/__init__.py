"""Reads web pages: the feeds a page names, and the article on it."""

"""Fetch web pages: to find the feeds of a site, and to get the full text of an article."""

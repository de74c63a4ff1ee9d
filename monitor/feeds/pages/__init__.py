"""Web pages beside feeds: finding the feeds of a site, and the full text of an article."""

"""Read web pages: the feeds that a page links to, and the article on it."""

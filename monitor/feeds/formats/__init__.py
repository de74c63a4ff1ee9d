"""Parse feeds: from the bytes of RSS, Atom, JSON Feed or a news sitemap to entries. Pure functions without I/O."""

"""Bytes to a feed document: RSS and Atom, JSON Feed, encodings, dates, HTML, repair. Pure."""

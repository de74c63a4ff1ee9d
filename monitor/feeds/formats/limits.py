"""Limits of a document. Beyond them the parser refuses the document with a reason, or leaves entries out."""

from __future__ import annotations

#: Entries of a document; the others are left out, and `ParsedFeed.truncated` is set.
MAX_ENTRIES = 2_000
#: Attributes of an element. feedparser takes quadratic time over them.
MAX_ATTRIBUTES = 512
#: Characters of one tag in a document that is not well-formed XML.
MAX_TAG = 65_536
#: Levels of nested elements.
MAX_DEPTH = 256

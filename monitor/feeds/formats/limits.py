"""Sets how much of a document is read; what is beyond is refused by name, or left out, and the result says so."""

from __future__ import annotations

#: Entries of a document; the others are left out.
MAX_ENTRIES = 2_000
#: Attributes of an element: feedparser's loops over them are quadratic.
MAX_ATTRIBUTES = 512
#: Characters of a tag in a document that is no XML.
MAX_TAG = 65_536
#: Elements within elements.
MAX_DEPTH = 256

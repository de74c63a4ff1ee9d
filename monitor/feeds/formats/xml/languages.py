"""Keep one language of entries that have their title and text in several, before the document is parsed.

Some feeds have several titles and texts in an entry, which differ in `xml:lang`. Feed parsers would keep the first
title and mix the texts, but an entry must be in one language.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_NAMES = r"(?:title|summary|description|content(?::encoded)?)"
_SEVERAL = re.compile(rf"<{_NAMES}\s[^<>]*\bxml:lang\s*=")
_ENTRY = re.compile(r"<(/?)(?:[A-Za-z_][\w.-]*:)?(?:item|entry)(?=[\s>])([^<>]*)>")
#: A tag of an element with text, or a CDATA section or comment, inside which tags do not count.
_TAG = re.compile(rf"<(/?)({_NAMES})(?=[\s>])([^<>]*)>|<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
_LANGUAGE = re.compile(r"""\bxml:lang\s*=\s*["']\s*([A-Za-z]{2,3})""")
_OF_FEED = re.compile(r"<(?:dc:)?language>\s*([A-Za-z]{2,3})")


class _TaggedWords(NamedTuple):
    """An element with text: its name, its language, and its position in the document."""

    name: str
    language: str
    start: int
    end: int


def primary(language: str) -> str:
    """Return the first part of a language tag: `en` of `en-GB` and `en_GB`."""
    return language.strip().replace("_", "-").partition("-")[0].lower()


def in_one_language(document: str, configured: str = "") -> str:
    """Return the document with the texts of each entry in one language only. The document must begin with its root.

    That language is the feed's, or `configured` when the document names none. An entry that has no text in it keeps its
    first language. A document whose tags do not show where entries begin and end is returned unchanged.
    """
    if not _SEVERAL.search(document):
        return document
    tags = list(_ENTRY.finditer(document))
    if any(bool(tag[1]) != bool(place % 2) for place, tag in enumerate(tags)):
        return document
    head = document[: tags[0].start()] if tags else ""
    stated = _OF_FEED.search(head) or _LANGUAGE.search(head[: head.find(">") + 1])
    feed = primary(stated[1]) if stated else ""
    parts: list[str] = []
    at = 0
    for start, end in zip(tags[::2], tags[1::2], strict=False):
        own = _LANGUAGE.search(start[2])
        words = _words(document, start.end(), end.start(), primary(own[1]) if own else feed)
        for left_out in _foreign(words, feed or primary(configured)):
            parts.append(document[at : left_out.start])
            at = left_out.end
    return "".join((*parts, document[at:])) if parts else document


def _words(document: str, start: int, end: int, inherited: str) -> list[_TaggedWords]:
    """Return the elements with text of one entry. Elements nested inside them are not examined."""
    found: list[_TaggedWords] = []
    opened: re.Match[str] | None = None
    for tag in _TAG.finditer(document, start, end):
        if not tag[2]:
            continue
        if opened is None:
            opened = tag if not tag[1] and not tag[3].endswith("/") else None
        elif tag[1] and tag[2] == opened[2]:
            said = _LANGUAGE.search(opened[3])
            found.append(_TaggedWords(tag[2], primary(said[1]) if said else inherited, opened.start(), tag.end()))
            opened = None
    return found


def _foreign(words: list[_TaggedWords], wanted: str) -> list[_TaggedWords]:
    """Return the elements to remove: those in another language than `wanted`, if there is one in `wanted`.

    If there is none, the language of the first element is kept.
    """
    left_out: list[_TaggedWords] = []
    for name in dict.fromkeys(each.name for each in words):
        same = [each for each in words if each.name == name]
        languages = [each.language for each in same]
        if len(set(languages)) > 1:
            wanted = wanted if wanted in languages else languages[0]
            left_out += [each for each in same if each.language != wanted]
    return sorted(left_out, key=lambda each: each.start)

"""Balance the tags of a document that is not well-formed XML, so that a broken element damages only itself.

feedparser's lenient parser lets an element without an end tag swallow everything after it, entries included. Here each
start tag gets an end tag within its entry, and end tags that close nothing are removed.
"""

from __future__ import annotations

import re

from monitor.feeds.formats.limits import MAX_ATTRIBUTES, MAX_TAG

#: Everything but text: a CDATA section, a comment, an instruction, a tag.
_PIECE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<[!?][^<>]*>"
    r"|<(?P<end>/?)(?P<name>[A-Za-z_][\w.:-]*)(?P<rest>(?:\s+[^\s\"'<>/=]+(?:\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'|[^\s\"'<>]*))?)*+)\s*(?P<empty>/?)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w.:-]*)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]*))")
_ENTRIES = frozenset({"item", "entry"})
#: Elements of an entry that contain only a line of text. Another field of the entry after them ends them.
_LINES = frozenset({"title", "link", "guid", "id", "pubdate", "published", "updated", "creator", "date", "category"})
#: Elements that never occur in HTML, so that in an entry they must be its fields.
_FIELDS = frozenset({"guid", "pubdate", "description", "published", "updated", "summary", "creator", "encoded"})
_DEEPEST = 100


def balanced(text: str) -> str:
    """Return the document with an end tag for each start tag, with quoted attributes, and without comments.

    The document must begin with its root. It is returned unchanged when its elements are nested too deeply, or a tag is
    too long, for a feed.
    """
    opened: list[str] = []
    done: list[str] = []
    at = 0
    for match in _PIECE.finditer(text):
        done.append(text[at : match.start()])
        at = match.end()
        name = match["name"]
        if name is None:
            if match[0].startswith("<![CDATA["):
                done.append(match[0] if match[0].endswith("]]>") else f"{match[0]}]]>")
        elif match["end"]:
            done += _closed(opened, name)
        else:
            if len(match[0]) > MAX_TAG or len(opened) > _DEEPEST:
                return text
            done += _ended_by(opened, _local(name))
            done.append(f"<{name}{_attributes(match['rest'])}{match['empty']}>")
            if not match["empty"]:
                opened.append(name)
    done.append(text[at:])
    done += [f"</{name}>" for name in reversed(opened)]
    return "".join(done)


def _closed(opened: list[str], name: str) -> list[str]:
    """Return the end tags that close the elements up to and including `name`; [] when it is not open in this entry."""
    entry = max((at for at, each in enumerate(opened) if _local(each) in _ENTRIES), default=-1)
    is_outer = _local(name) in _ENTRIES or name in opened[: entry + 1]
    if name not in opened[0 if is_outer else entry + 1 :]:
        return []
    return _closed_from(opened, len(opened) - 1 - opened[::-1].index(name))


def _ended_by(opened: list[str], local: str) -> list[str]:
    """Return the end tags that are missing before a start tag: of the previous entry, or of a field with a line."""
    if local in _ENTRIES:
        entry = next((at for at, each in enumerate(opened) if _local(each) in _ENTRIES), len(opened))
        return _closed_from(opened, entry)
    is_line = len(opened) > 1 and _local(opened[-1]) in _LINES and _local(opened[-2]) in _ENTRIES
    return _closed_from(opened, len(opened) - 1) if is_line and local in _FIELDS | _LINES else []


def _closed_from(opened: list[str], at: int) -> list[str]:
    tags = [f"</{name}>" for name in reversed(opened[at:])]
    del opened[at:]
    return tags


def _attributes(rest: str) -> str:
    """Return the attributes in quotes, each name once."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(rest):
        if len(found) > MAX_ATTRIBUTES:
            break  # the parser refuses it
        found.setdefault(match[1], match[2] or match[3] or match[4] or "")
    return "".join(f' {name}="{value.replace(chr(34), "&quot;")}"' for name, value in found.items())


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()

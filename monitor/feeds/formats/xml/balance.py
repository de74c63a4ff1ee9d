"""Balances the tags of a document that is no XML, so that one broken element costs itself and not its neighbours.

The forgiving parser goes by regular expressions: an element that another one's end tag closes takes all that follows
it, entries too. Here each start tag gets its end tag within its entry, and an end tag that closes nothing goes.
"""

from __future__ import annotations

import re

from monitor.feeds.formats.limits import MAX_ATTRIBUTES, MAX_TAG

#: What stands between texts: a CDATA section or comment, an instruction, a tag.
_PIECE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<[!?][^<>]*>"
    r"|<(?P<end>/?)(?P<name>[A-Za-z_][\w.:-]*)(?P<rest>(?:\s+[^\s\"'<>/=]+(?:\s*=\s*(?:\"[^\"<]*\"|'[^'<]*'|[^\s\"'<>]*))?)*+)\s*(?P<empty>/?)>",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([A-Za-z_][\w.:-]*)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>]*))")
_ENTRIES = frozenset({"item", "entry"})
#: Elements of an entry that hold a line of text, and nothing of which the next element of the entry could be a part.
_LINES = frozenset({"title", "link", "guid", "id", "pubdate", "published", "updated", "creator", "date", "category"})
#: Elements that no markup within a text has.
_FIELDS = frozenset({"guid", "pubdate", "description", "published", "updated", "summary", "creator", "encoded"})
_DEEPEST = 100


def balanced(text: str) -> str:
    """Return a document, which begins with its root, with end tags for its start tags and quoted attributes.

    Comments and instructions are left out.

    It is returned as it is when its elements are nested too deep, or a tag is too long, for it to be a feed.
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
    """Return the end tags up to that of the element, none where it is not open in this entry."""
    entry = max((at for at, each in enumerate(opened) if _local(each) in _ENTRIES), default=-1)
    is_outer = _local(name) in _ENTRIES or name in opened[: entry + 1]
    if name not in opened[0 if is_outer else entry + 1 :]:
        return []
    return _closed_from(opened, len(opened) - 1 - opened[::-1].index(name))


def _ended_by(opened: list[str], local: str) -> list[str]:
    """Return the end tags that are missing before the start tag of an element: an entry's, a line's."""
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
    """Return attributes with quotes, each once."""
    found: dict[str, str] = {}
    for match in _ATTRIBUTE.finditer(rest):
        if len(found) > MAX_ATTRIBUTES:
            break  # the parser refuses it
        found.setdefault(match[1], match[2] or match[3] or match[4] or "")
    return "".join(f' {name}="{value.replace(chr(34), "&quot;")}"' for name, value in found.items())


def _local(name: str) -> str:
    return name.rpartition(":")[2].lower()

"""Repair a document that is nearly XML, so that the strict parser can read it.

Everything before the root element is always dropped: it is not needed, and the DOCTYPE can hold entity bombs. `mend` is
used only when the strict parser has refused the document.
"""

from __future__ import annotations

import re
from html import entities

#: Characters that XML 1.0, section 2.2, does not allow, not even as a reference.
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ROOT = re.compile(r"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
_DECLARATION_PART = re.compile(r"""["'\[\]>]""")
_REFERENCE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)"
    r"|&(?:\#(?P<dec>\d{1,12});?|\#[xX](?P<hex>[0-9A-Fa-f]{1,10});?|(?P<name>[A-Za-z][A-Za-z0-9]{0,31});)?"
    r"|<(?![A-Za-z_/!?])|<(?=[^<>\"']{0,200}<)",
    re.DOTALL,
)
#: A misspelt beginning of a CDATA section, such as `<! [CDATA[`.
_BEGINS = re.compile(r"<\s?!?\s?\[?\s?CDATA\s?\[", re.IGNORECASE)
#: A CDATA section at the beginning of an element, and the misspelt end of one.
_SECTION = re.compile(r"<([A-Za-z_][\w.:-]*)(?:\s[^<>]*)?>\s*<!\[CDATA\[")
_ENDS = re.compile(r"\]{1,2}\s?>?\s*\Z")
_PAIR = re.compile(r"&#(5[5-7]\d{3}|[xX][dD][89abAB][0-9a-fA-F]{2});&#(5[5-7]\d{3}|[xX][dD][c-fC-F][0-9a-fA-F]{2});")
_ENTRY_START = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?(?:item|entry)(?:\s[^<>]*)?/?>")
_ENTRY_END = re.compile(r"</(?:[A-Za-z_][\w.-]*:)?(?:item|entry)\s*>")
#: Nearly every document has the end tag of its root in this many last characters.
_TAIL = 200
_XML_NAMES = frozenset({"lt", "gt", "amp", "quot", "apos"})
_DECLARED = re.compile(r"xmlns:([A-Za-z_][\w.-]*)\s*=")
_USED = re.compile(r"</?([A-Za-z_][\w.-]*):[A-Za-z_]|\s([A-Za-z_][\w.-]*):[A-Za-z_][\w.-]*\s*=\s*[\"']")
#: The usual prefix of each namespace, for feeds that use a prefix without declaring it.
_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "media": "http://search.yahoo.com/mrss/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "slash": "http://purl.org/rss/1.0/modules/slash/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "xhtml": "http://www.w3.org/1999/xhtml",
}


def strip_prolog(text: str) -> tuple[str, str]:
    """Return the document from its root element on, and the root's local name in lower case; ("", "") without a root.

    Everything before the root is dropped: junk, the XML declaration, comments, processing instructions and the DOCTYPE
    with its internal subset. Illegal characters are removed everywhere.
    """
    start, root = find_root(text)
    return (legal(text[start:]), root) if root else ("", "")


def find_root(text: str) -> tuple[int, str]:
    """Return the position of the root element, and its local name in lower case; "" when there is no root."""
    position = 0
    while (start := text.find("<", position)) >= 0:
        if text.startswith("<!--", start):
            position = _after(text, "-->", start + 4)
        elif text.startswith("<![CDATA[", start):  # around the whole document
            position = start + 9
        elif text.startswith("<?", start):
            position = _after(text, ">", start + 2)
        elif text.startswith("<!", start):
            position = _after_declaration(text, start + 2)
        elif match := _ROOT.match(text, start):
            return start, match[2].lower()
        else:
            position = start + 1
    return len(text), ""


def legal(text: str) -> str:
    """Return the text without characters that XML does not allow."""
    return _ILLEGAL.sub("", text)


def _after(text: str, end: str, start: int) -> int:
    found = text.find(end, start)
    return len(text) if found < 0 else found + len(end)


def _after_declaration(text: str, start: int) -> int:
    """Return where `<!DOCTYPE ... [ ... ]>` ends: after the first `>` outside the internal subset in brackets."""
    inside = False
    position = start
    while match := _DECLARATION_PART.search(text, position):
        sign, position = match[0], match.end()
        if sign in "\"'" and inside:
            position = _after(text, sign, position)
        elif sign == "[":
            inside = True
        elif sign == "]":
            inside = False
        elif sign == ">" and not inside:
            return position
    # The internal subset never ends, so take the first `>`.
    return _after(text, ">", start)


def completed(text: str) -> tuple[str, bool]:
    """Return a document that was cut off, without its incomplete last entry; and whether it was cut off.

    `text` begins with its root element. A document that contains the root's end tag is complete. One whose entries
    never have end tags is returned unchanged.
    """
    root = _ROOT.match(text)
    if root is None or re.search(rf"</{re.escape(root[0][1:])}\s*>", text[-_TAIL:]) or f"</{root[0][1:]}" in text:
        return text, False
    ends = [match.end() for match in _ENTRY_END.finditer(text)]
    starts = [match for match in _ENTRY_START.finditer(text) if not match[0].endswith("/>")]
    if not ends and len(starts) > 1:
        return text, False
    end = ends[-1] if ends else starts[-1].start() if starts else text.rfind("<")
    # Close the channel that the entries are in. Its own elements after the entries are lost.
    closing = "</channel>" if re.search(r"<channel[\s>]", text[:end]) and root[2].lower() != "channel" else ""
    if re.search(r"</channel\s*>", text[:end]):
        closing = ""
    return f"{text[:end]}{closing}</{root[0][1:]}>", True


def mend(text: str) -> str:
    """Repair references, bare `&` and `<`, undeclared namespace prefixes, and text after the root.

    HTML entities become their characters; references to illegal characters are removed. CDATA sections and comments are
    kept, but a section without an end is ended where its element ends.
    """
    text = _BEGINS.sub("<![CDATA[", text)
    end = text.rfind("-->")
    text = text[: end + 1] + text[end + 1 :].replace("<!--", "")
    text = _with_ended_sections(text)
    text = _REFERENCE.sub(_mended, _PAIR.sub(_joined, text))
    root = _ROOT.match(text)
    if root is None:
        return text
    closing = text.rfind(f"</{root[0][1:]}")
    if closing >= 0:
        end = text.find(">", closing)
        text = text[: end + 1] if end >= 0 else text[:closing] + f"</{root[0][1:]}>"
    declared = set(_DECLARED.findall(text))
    used = {first or second for first, second in _USED.findall(_without_cdata(text))}
    missing = sorted(used - declared - {"xml", "xmlns"})[:50]
    added = "".join(f' xmlns:{prefix}="{_NAMESPACES.get(prefix, "urn:undeclared:" + prefix)}"' for prefix in missing)
    return text[: root.end()] + added + text[root.end() :]


def _with_ended_sections(text: str) -> str:
    """Return the text with an end for each CDATA section that would go on past the end tag of its element."""
    done: list[str] = []
    after: dict[str, int] = {}

    def find(what: str, start: int) -> int:
        if after.get(what, -1) < start and after.get(what) != len(text):
            found = text.find(what, start)
            after[what] = found if found >= 0 else len(text)
        return after[what]

    last = inside = 0
    for match in _SECTION.finditer(text):
        start = match.end()
        if match.start() < inside:
            continue
        end, element = find("]]>", start), find(f"</{match[1]}>", start)
        inside = end
        if element < end:
            done += (text[last:start], _ENDS.sub("", text[start:element]), "]]>")
            last = inside = element
    return "".join((*done, text[last:]))


def _mended(match: re.Match[str]) -> str:
    whole = match[0]
    if whole.startswith("<!"):
        return whole
    if whole == "<":
        return "&lt;"
    if decimal := match["dec"]:
        return _character(int(decimal))
    if hexadecimal := match["hex"]:
        return _character(int(hexadecimal, 16))
    name = match["name"]
    if name is None:
        return "&amp;"
    if name in _XML_NAMES:
        return whole
    character = entities.html5.get(f"{name};") or entities.html5.get(f"{name.lower()};")
    return _escaped(character) if character else f"&amp;{name};"


def _joined(match: re.Match[str]) -> str:
    """Return the character of two references, each to half of its surrogate pair (`&#55357;&#56832;`)."""
    high, low = (int(digits[1:], 16) if digits[0] in "xX" else int(digits) for digits in match.groups())
    if 0xD800 <= high < 0xDC00 <= low < 0xE000:
        return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)
    return match[0]


def _character(code: int) -> str:
    """Return the character of a reference, '' when XML does not allow it (a surrogate, for example)."""
    if code > 0x10FFFF:
        return ""
    if 0x80 <= code <= 0x9F:  # windows-1252 is meant, as in HTML (section 13.2.5.80 of its standard)
        return bytes([code]).decode("cp1252", "ignore")
    return _escaped(_ILLEGAL.sub("", chr(code)))


def _escaped(character: str) -> str:
    return character.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").replace("'", "&#39;")


def _without_cdata(text: str) -> str:
    return re.sub(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", "", text, flags=re.DOTALL)

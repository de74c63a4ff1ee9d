"""Makes HTML of feeds safe, and makes plain text of it.

Everything a feed carries is hostile: HTML is reduced to an allow-list by nh3 after its addresses
were resolved, titles become plain text, and characters that break terminals, logs or JSON are taken out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import Literal

import nh3

#: What an article's body needs; no styles, no classes, no forms, no frames, nothing that runs or loads but pictures.
TAGS = frozenset((
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "dd", "del", "details", "div", "dl",
    "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd",
    "li", "mark", "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "summary", "sup", "table",
    "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul",
))  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "time": {"datetime"},
    "abbr": {"title"},
    "*": {"lang", "dir"},
}
#: Elements whose text is no text of the article.
_SILENT = {"script", "style", "noscript", "iframe", "object", "svg", "math", "form", "template", "head", "title"}
_BLOCKS = re.compile(
    r"</?(?:p|div|br|li|ul|ol|dl|dt|dd|h[1-6]|blockquote|tr|table|thead|tbody|tfoot|hr|figure|figcaption|pre|section|article|"
    r"caption|details|summary)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_CELLS = re.compile(r"</?t[dh](?:\s[^<>]*)?>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_WRAPPED = re.compile(r"(?<!\n)[ \t]*\n(?![ \t]*\n)[ \t]*")
#: C0 and C1 controls but tab and line feed; lone surrogates; bidirectional overrides, embeddings and isolates; zero
#: width characters that change no letter's shape (the joiners U+200C and U+200D do, in Persian and Indic scripts);
#: byte order marks; tags; non-characters.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)
_CONTROLS = bytes([*range(0x20), 0x7F])
_TAG_LIKE = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*)((?:[\s/][^<>]*)?)/?>")
#: Elements that break a line, so that their tags stand alone.
_ALONE = frozenset((
    "br", "hr", "img", "wbr", "p", "div", "li", "ul", "ol", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6",
    "blockquote", "figure", "section", "article",
))  # fmt: skip
#: Of these, the ones without which a line would not break, so that they are markup wherever they stand.
_BREAKS = frozenset({"br", "hr", "wbr"})
#: Elements that format what stands between their two tags.
_PAIRED = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "center", "cite", "code", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
    "var", "table", "tbody", "thead", "tfoot", "pre", "figcaption", "details", "aside", "address", "dl", "dt", "dd",
    "ruby", "rt",
))  # fmt: skip
#: Elements that hold no words, but for `head` and `title`: nobody puts a whole page into a title.
_HIDDEN = "|".join(sorted(_SILENT - {"head", "title"}))
#: What shows that a text is HTML: a tag with attributes, a tag that stands alone, the end tag of a pair.
_EVIDENCE = re.compile(
    rf"<[A-Za-z][A-Za-z0-9:-]*[\s/][^<>]*=|</?(?:{'|'.join(sorted(_ALONE))})\s*/?>"
    rf"|</(?:{'|'.join(sorted(_PAIRED))}|{_HIDDEN})\s*>|<!--",
    re.IGNORECASE,
)
_UNSEEN = re.compile(
    rf"<!--.*?-->|<!doctype[^<>]*>|<\?[^<>]*>|<({_HIDDEN})\b[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>", re.IGNORECASE)
_CDATA_TAIL = re.compile(r"\]\]\s*$")
_IMAGE_TEXT = re.compile(r"""<img\s[^<>]*?\b(?:alt|title)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,31});", re.IGNORECASE)


def clean_text(text: str) -> str:
    """Return `text` without control characters, bidirectional overrides and lone surrogates."""
    # None of them is printable, and asking is much faster than looking for each.
    if _is_printable(text) or _is_printable(text.replace("\n", "").replace("\t", "")):
        return text
    return _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n"))


def _is_printable(text: str) -> bool:
    """Do what `isprintable` does, faster for long texts: that looks up every letter."""
    if text.isascii():
        return len(text.encode().translate(None, _CONTROLS)) == len(text)
    return text.isprintable()


def safe_html(markup: str, base: str) -> str:
    """Reduce `markup` to what is harmless; its addresses become absolute by `base`, and only http(s) ones stay."""
    markup = clean_text(markup)
    if not ("<" in markup or "&" in markup or ">" in markup or "\u00a0" in markup):
        return markup.strip()  # nh3 would write it as it stands
    try:
        safe = _cleaner(base).clean(markup)
    except ValueError:  # nh3 takes fewer hosts for hosts than browsers do
        safe = _cleaner("").clean(markup)
    return clean_text(safe).strip()


@lru_cache(maxsize=16)
def _cleaner(base: str) -> nh3.Cleaner:
    """Make the cleaner for texts of one document. Raises ValueError for a base that is no address."""
    relative: Literal["deny"] | tuple[Literal["rewrite_with_base"], str] = "deny"
    if base:
        relative = ("rewrite_with_base", base)
    return nh3.Cleaner(
        tags=set(TAGS),
        clean_content_tags=_SILENT,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https"},
        url_relative=relative,
    )


def text_of(safe: str) -> str:
    """Return the plain text of HTML that `safe_html` made: a line for each block, entities resolved."""
    # In words without markup, an empty line is what parts paragraphs, and a single break is a wrapped line.
    if "<" in safe and _BLOCKS.search(safe):
        safe = _BLOCKS.sub("\n", safe.replace("\n", " "))
    elif "\n" in safe:
        safe = _WRAPPED.sub(" ", safe)
    if "<" in safe:
        safe = _TAG.sub("", _CELLS.sub(" ", safe) if "<t" in safe else safe)
    return fold(unescape(safe))


def fold(text: str) -> str:
    """Clean `text`, make runs of spaces one, remove empty lines and spaces at the ends of lines."""
    if _is_printable(text):
        return _spaced(text)
    lines = (" ".join(line.split()) for line in clean_text(text).split("\n"))
    return "\n".join(line for line in lines if line)


def line(text: str) -> str:
    """Clean `text` and make it one line, with single spaces."""
    return _spaced(text) if text.isprintable() else " ".join(clean_text(text).split())


def _spaced(text: str) -> str:
    """Make runs of spaces one in a printable text, which is one line with no other white space."""
    return " ".join(text.split()) if "  " in text else text.strip()


def words(text: str) -> str:
    """Return a text that means the same as HTML and as plain text, with single spaces; '' for any other."""
    return "" if "<" in text or "&" in text or ">" in text or not _is_printable(text) else _spaced(text)


def looks_like_html(text: str) -> bool:
    """Tell whether a text that should be plain has markup or entities in it, as many feeds have."""
    return bool(("<" in text and _EVIDENCE.search(text)) or ("&" in text and _ENTITY.search(text)))


def words_kept(markup: str) -> str:
    """Return HTML in which tags that are words ("the <head> of a page") are escaped, so that they are not taken out.

    They are words where nothing shows that the text is HTML at all; so is what only begins as a tag ("May<June").
    """
    if "<" not in markup or _EVIDENCE.search(markup):
        return markup
    return markup.replace("<", "&lt;")


def unwrapped(text: str) -> str:
    """Return a text without CDATA marks in it, which are there when somebody escaped them or put them twice."""
    if "<![" not in text and "]]" not in text:
        return text
    found = _CDATA.sub("", text)
    return _CDATA_TAIL.sub("", found) if "<![" in text else found


def image_words(markup: str) -> str:
    """Return what the pictures in some HTML show, by their own texts: words where there are no others."""
    found = (match[1] or match[2] or match[3] or "" for match in _IMAGE_TEXT.finditer(markup))
    return fold("\n".join(dict.fromkeys(unescape(text) for text in found)))


def plain(text: str) -> str:
    """Return a title, name or tag as one line of plain text: markup removed, entities resolved at most twice.

    Only what is surely markup goes: tags with attributes, pairs of tags that format a text, tags that break a line.
    A tag that is a word in a headline ("A free guide to <head> elements") stays.
    """
    for _ in range(2):
        if "<" in text:
            text = _without_tags(text)
        if "&" not in text or not _ENTITY.search(text):
            break
        text = unwrapped(unescape(text))
    return line(text)


def _without_tags(text: str) -> str:
    if not (_EVIDENCE.search(text) or _UNSEEN.search(text)):
        return text
    text = _UNSEEN.sub("", text)
    tags = list(_TAG_LIKE.finditer(text))
    taken: dict[int, str] = {}
    waiting: dict[str, list[int]] = {}
    for number, tag in enumerate(tags):
        name = tag[2].lower()
        if name in _ALONE and not _is_word(text, tag, name):
            taken[number] = " "
        elif tag[1]:
            if waiting.get(name):
                taken[waiting[name].pop()] = taken[number] = ""
        else:
            if "=" in tag[3]:
                taken[number] = ""
            if name in _PAIRED or "=" in tag[3]:
                waiting.setdefault(name, []).append(number)
    parts: list[str] = []
    at = 0
    for number, tag in enumerate(tags):
        if number in taken:
            parts += (text[at : tag.start()], taken[number])
            at = tag.end()
    return "".join((*parts, text[at:]))


def _is_word(text: str, tag: re.Match[str], name: str) -> bool:
    """Tell whether a tag that would stand alone is a word of a title ("What the <img> tag does").

    It is bare, stands between spaces, not at the beginning, and nothing of its name is ended anywhere.
    """
    start, end = tag.span()
    return not (
        name in _BREAKS
        or tag[3].strip("/ ")
        or not text[:start].strip()
        or not text[start - 1].isspace()
        or text[end : end + 1].isalnum()
        or re.search(rf"</{name}\s*>", text, re.IGNORECASE)
    )


def cap(text: str, limit: int) -> str:
    """Cut a text to at most `limit` bytes of UTF-8, at a character, and at a space when one is near."""
    if len(text) * 4 <= limit or (text.isascii() and len(text) <= limit):
        return text
    data = text.encode("utf-8", "ignore")
    if len(data) <= limit:
        return text
    cut = data[:limit].decode("utf-8", "ignore")
    space = cut.rfind(" ", max(0, len(cut) - 100))
    return cut[:space] if space > 0 else cut

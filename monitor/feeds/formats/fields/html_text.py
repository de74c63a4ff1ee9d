"""Make the HTML of feeds safe, and turn it into plain text.

All content of feeds is untrusted: nh3 reduces HTML to an allow-list and resolves its URLs, titles become plain text,
and characters that break terminals, logs or JSON are removed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import Literal

import nh3

#: The elements that an article's body needs: no styles, forms or frames, and nothing that runs or loads, but pictures.
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
#: Elements whose content is removed, since it is not text of the article.
_SILENT = {
    "script", "style", "noscript", "iframe", "object", "svg", "math", "form", "template", "head", "title",
    "rt", "rp",  # the pronunciation of the words beside them
}  # fmt: skip
_BLOCKS = re.compile(
    r"</?(?:p|div|br|li|ul|ol|dl|dt|dd|h[1-6]|blockquote|tr|table|thead|tbody|tfoot|hr|figure|figcaption|pre|section|article|"
    r"caption|details|summary)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_CELLS = re.compile(r"</?t[dh](?:\s[^<>]*)?>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_WRAPPED = re.compile(r"(?<!\n)[ \t]*\n(?![ \t]*\n)[ \t]*")
#: C0 and C1 controls but tab and line feed; lone surrogates; bidirectional overrides, embeddings and isolates; soft
#: hyphens, and zero width characters that change no letter's shape (the joiners U+200C and U+200D do, in Persian and
#: Indic scripts); byte order marks; tags, unless they make the flag of a country's part; non-characters.
_UNWANTED = re.compile(
    "(\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f)|"
    "[\xad\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f]"
)
_CONTROLS = bytes([*range(0x20), 0x7F])
_TAG_LIKE = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9:-]*)((?:[\s/][^<>]*)?)/?>")
#: Elements that break a line. Their tags are taken for markup even without an end tag.
_ALONE = frozenset((
    "br", "hr", "img", "wbr", "p", "div", "li", "ul", "ol", "tr", "td", "th", "h1", "h2", "h3", "h4", "h5", "h6",
    "blockquote", "figure", "section", "article",
))  # fmt: skip
#: Those of them that are markup wherever they are, even as the last word of a headline.
_BREAKS = frozenset({"br", "hr", "wbr"})
#: Elements that format the text between their start and end tag.
_PAIRED = frozenset((
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "center", "cite", "code", "del", "dfn", "em", "font", "i", "ins",
    "kbd", "mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u",
    "var", "table", "tbody", "thead", "tfoot", "pre", "figcaption", "details", "aside", "address", "dl", "dt", "dd",
    "ruby", "rb",
))  # fmt: skip
#: `_SILENT` without `head` and `title`. Those are words in a headline, since no feed has a whole page in a title.
_HIDDEN = "|".join(sorted(_SILENT - {"head", "title"}))
#: Evidence that a text is HTML: a tag with attributes, a tag that breaks a line, or an end tag.
_EVIDENCE = re.compile(
    rf"<[A-Za-z][A-Za-z0-9:-]*[\s/][^<>]*=|</?(?:{'|'.join(sorted(_ALONE))})\s*/?>"
    rf"|</(?:{'|'.join(sorted(_PAIRED))}|{_HIDDEN})\s*>|<!--",
    re.IGNORECASE,
)
_UNSEEN = re.compile(
    rf"<!--.*?-->|<!doctype[^<>]*>|<\?[^<>]*>|<({_HIDDEN})\b[^<>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL
)
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>", re.IGNORECASE)
_CDATA_END = re.compile(r"\]\]>\s*$")
_CDATA_TAIL = re.compile(r"\]\]\s*$")
_IMAGE_TEXT = re.compile(r"""<img\s[^<>]*?\b(?:alt|title)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'<>]+))""", re.IGNORECASE)
#: A character reference such as `&amp;` or `&#8217;`. Like browsers, it accepts a number without the semicolon.
_ENTITY = re.compile(r"&(?:#\d{2,7};?|#x[0-9a-f]{2,6};?|#\d;|#x[0-9a-f];|[a-z][a-z0-9]{1,31};)", re.IGNORECASE)


def clean_text(text: str) -> str:
    """Return `text` without control characters, bidirectional overrides and lone surrogates."""
    # None of them is printable, and this test is much faster than the expression.
    if is_printable(text) or is_printable(text.replace("\n", "").replace("\t", "")):
        return text
    return _UNWANTED.sub(r"\1", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n"))


def is_printable(text: str) -> bool:
    """Return `text.isprintable()`, but faster for long ASCII texts."""
    if text.isascii():
        return len(text.encode().translate(None, _CONTROLS)) == len(text)
    return text.isprintable()


def safe_html(markup: str, base: str) -> str:
    """Return `markup` with allowed elements only; URLs are resolved against `base`, and only http(s) ones are kept."""
    markup = clean_text(markup)
    if not ("<" in markup or "&" in markup or ">" in markup or "\u00a0" in markup):
        return markup.strip()  # nh3 would return it unchanged
    try:
        safe = _cleaner(base).clean(markup)
    except ValueError:  # nh3 refuses some hosts that browsers accept
        safe = _cleaner("").clean(markup)
    return clean_text(safe).strip()


@lru_cache(maxsize=16)
def _cleaner(base: str) -> nh3.Cleaner:
    """Make the cleaner for the texts of one document. Raises ValueError when `base` is not a URL."""
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
    """Return the plain text of HTML that `safe_html` made: one line for each block, entities resolved."""
    # In text without block elements an empty line separates paragraphs, and a single line break is only wrapping.
    if "<" in safe and _BLOCKS.search(safe):
        safe = _BLOCKS.sub("\n", safe.replace("\n", " "))
    elif "\n" in safe:
        safe = _WRAPPED.sub(" ", safe)
    if "<" in safe:
        safe = _TAG.sub("", _CELLS.sub(" ", safe) if "<t" in safe else safe)
    return fold(unescape(safe))


def fold(text: str) -> str:
    """Clean `text`, reduce runs of spaces to one, and remove empty lines and spaces at the ends of lines."""
    if is_printable(text):
        return _spaced(text)
    lines = (" ".join(line.split()) for line in clean_text(text).split("\n"))
    return "\n".join(line for line in lines if line)


def line(text: str) -> str:
    """Clean `text` and make it one line, with single spaces."""
    return _spaced(text) if text.isprintable() else " ".join(clean_text(text).split())


def _spaced(text: str) -> str:
    """Reduce runs of spaces to one in a printable text, which has no other white space."""
    return " ".join(text.split()) if "  " in text else text.strip()


def words(text: str) -> str:
    """Return the text with single spaces if it is the same as HTML and as plain text, else ''."""
    return "" if "<" in text or "&" in text or ">" in text or not is_printable(text) else _spaced(text)


def looks_like_html(text: str) -> bool:
    """Tell whether a text that should be plain contains markup or entities, as in many feeds."""
    return bool(("<" in text and _EVIDENCE.search(text)) or ("&" in text and _ENTITY.search(text)))


def words_kept(markup: str) -> str:
    """Escape `<` in a text that is not HTML, so that words such as "the <head> of a page" or "May<June" are kept.

    A text with any evidence of HTML (see `_EVIDENCE`) is returned unchanged.
    """
    if "<" not in markup or _EVIDENCE.search(markup):
        return markup
    return markup.replace("<", "&lt;")


def unwrapped(text: str) -> str:
    """Remove CDATA marks from a text. They are left over when a feed escapes them or writes them twice."""
    if "<![" not in text and "]]" not in text:
        return text
    if "<![" not in text:
        return _CDATA_END.sub("", text)  # within a text, the mark is its own
    return _CDATA_TAIL.sub("", _CDATA.sub("", text))


def image_words(markup: str) -> str:
    """Return the `alt` and `title` texts of the pictures in some HTML, for entries without any other text."""
    found = (match[1] or match[2] or match[3] or "" for match in _IMAGE_TEXT.finditer(markup))
    return fold("\n".join(dict.fromkeys(unescape(text) for text in found)))


def plain(text: str) -> str:
    """Return a title, name or tag as one line of plain text: markup removed, entities resolved at most twice.

    Only tags that are surely markup are removed: those with attributes, those that come in pairs, those that break a
    line. A tag that is a word of the headline ("A free guide to <head> elements") is kept.
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
            taken[number] = f" {_emoji(tag[0])} " if name == "img" else " "
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


def _emoji(tag: str) -> str:
    """Return the emoji that a picture stands for, as in headlines from WordPress, '' for any other picture."""
    words = image_words(tag)
    return "" if words.isascii() or any(sign.isalnum() for sign in words) else words


def _is_word(text: str, tag: re.Match[str], name: str) -> bool:
    """Tell whether a tag that breaks a line is in fact a word of a headline ("What the <img> tag does").

    Such a tag has no attributes, stands between spaces, is not the first word, and has no end tag.
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
    """Cut a text to at most `limit` bytes of UTF-8, between characters, and at a space when one is near."""
    if len(text) * 4 <= limit or (text.isascii() and len(text) <= limit):
        return text
    data = text.encode("utf-8", "ignore")
    if len(data) <= limit:
        return text
    cut = data[:limit].decode("utf-8", "ignore")
    space = cut.rfind(" ", max(0, len(cut) - 100))
    return cut[:space] if space > 0 else cut

"""Read JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/), and JSON that is nearly in that format.

Repairs common mistakes: comments, trailing commas, NaN, broken escapes, a document that was cut off, a JavaScript or
PHP prefix. Also reads WordPress's REST API and RSS converted to JSON.
"""

from __future__ import annotations

import contextlib
import re
from functools import partial
from typing import Any

import msgspec

from monitor.errors import FeedError
from monitor.feeds.formats import entries
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.entries import FeedContext, Markup, RawEntry
from monitor.feeds.formats.fields import article_urls, html_text
from monitor.feeds.formats.fields.dates import read_date
from monitor.feeds.formats.newest import newest

#: The most objects and lists of a document. An empty one is 3 bytes of JSON but at least 64 in memory, and a document
#: of 8 MiB could have almost three million.
MAX_OBJECTS = 250_000

#: A string (which may lack its closing quote), a comma before a closing bracket, or a word that JSON does not have.
_TOKEN = re.compile(
    r""""(?:[^"\\]|\\.)*+(?:"|\Z)|,(?=\s*[]}])|(?:-?Infinity|NaN|undefined|None|True|False)\b""", re.DOTALL
)
#: The places of a string that may need repair: escaped surrogate pairs (valid), escapes, control characters, and
#: unescaped surrogates.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[\x00-\x1f\ud800-\udfff]",
    re.DOTALL,
)
#: The tokens that show how a document is nested: strings, and opening and closing brackets.
_SHAPE = re.compile(r""""(?:[^"\\]|\\.)*+(?:"|\Z)|[][{}]""", re.DOTALL)
#: JavaScript that some servers put before JSON: the name of a callback function, or a guard such as `)]}'`.
_PREFIX = re.compile(r"(?:\)\]\}'?,?|while\(1\);|for\(;;\);|(?:/\*\*/)?[\w.$]{1,60}\()\s*(?=\{)")
#: A string, or a comment, which JSON does not allow but people write.
_COMMENT = re.compile(r""""(?:[^"\\]|\\.)*+(?:"|\Z)|/\*.*?(?:\*/|\Z)|(?://|#)[^\n]*""", re.DOTALL)
_LEADING = re.compile(r"(?:\s|/\*(?:(?!\*/).)*+\*/|//[^\n]*\n)+(?=[{\[])", re.DOTALL)
#: A notice or warning that PHP prints before its answer, as HTML or plain text.
_NOTICE = re.compile(r"(?:<br ?/?>\s*|<b>|(?:PHP )?(?:Warning|Notice|Deprecated)\b)[^{}]{1,2000}(?=\{\s*\")")
_LONE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


_BEFORE = (_LEADING, _NOTICE, _PREFIX)
#: A list without the feed object around it is read when one of its items has one of these keys.
_ITEM = frozenset({"content_html", "content_text", "date_published", "date_gmt"})
#: Keys under which an object holds its text, such as WordPress's `{"rendered": "..."}`.
_WITHIN = ("rendered", "html", "value", "text", "#text")
#: A list of items without the feed around it.
_LIST = re.compile(r"\[\s*\{\s*\"")


def is_json(text: str) -> bool:
    """Tell from its beginning whether a document is JSON."""
    return text.startswith("{") or _LIST.match(text) is not None or any(each.match(text) for each in _BEFORE)


def read(text: str, setting: FeedContext) -> ParsedFeed:
    """Read a document for which `is_json` is true.

    Raises FeedError: `not_a_feed`, `truncated` (the document was cut off within its first item), `too_many_objects`.
    """
    for before in _BEFORE:
        if match := before.match(text):
            text = text[match.end() :]
    if text.count("{") + text.count("[") > MAX_OBJECTS:
        raise FeedError(f"the document has over {MAX_OBJECTS} objects and lists", reason="too_many_objects")
    whole, problem, incomplete = _decoded(text.strip())
    if isinstance(whole, list) and any(isinstance(item, dict) and _ITEM & item.keys() for item in whole):
        whole = {"items": whole}
    if not isinstance(whole, dict) or not (
        "jsonfeed.org" in _text(whole, "version") or isinstance(whole.get("items"), list | dict)
    ):
        raise FeedError("the document is JSON, but not a JSON Feed", reason="not_a_feed")
    listed = _items(whole)
    items = [item for item in listed if isinstance(item, dict)]
    language = entries.tag(_text(whole, "language"))
    inner = setting._replace(language=language)
    hubs = [hub for hub in _list(whole, "hubs") if isinstance(hub, dict) and _text(hub, "type").lower() == "websub"]
    feed_authors = _authors(whole)
    dates = [read_date(_published(item)).value for item in items]
    read_item = partial(_entry, feed_authors=feed_authors)
    places = newest(dates)
    found, unread = entries.finish_each((items[place] for place in places), read_item, inner)
    unread += (entries.unreadable(len(listed) - len(items)),) if len(items) < len(listed) else ()
    unread += (entries.beyond_limit(len(items) - len(places)),) if len(places) < len(items) else ()
    unread += (entries.unfinished(),) if incomplete else ()
    return ParsedFeed(
        title=html_text.cap(html_text.plain(_text(whole, "title")), entries.TITLE_LIMIT),
        link=article_urls.absolute(setting.url, _text(whole, "home_page_url")),
        language=language,
        description=html_text.cap(html_text.plain(_text(whole, "description")), entries.TITLE_LIMIT),
        hub=next((url for hub in hubs if (url := article_urls.absolute(setting.url, _text(hub, "url")))), ""),
        self_url=article_urls.absolute(setting.url, _text(whole, "feed_url")),
        next_url=article_urls.absolute(setting.url, _text(whole, "next_url")),
        entries=found,
        mode="json",
        problem=problem or ("" if "jsonfeed.org" in _text(whole, "version") else "no version"),
        unread=unread,
        truncated=len(places) < len(items),
        incomplete=incomplete,
    )


def _decoded(text: str) -> tuple[Any, str, bool]:
    """Decode JSON, with repairs where needed. Returns the value, the problem, and whether the text was cut off.

    Raises FeedError (`not_a_feed`, `truncated`).
    """
    try:
        return msgspec.json.decode(text), "", False
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        problem = str(error)
    text = _COMMENT.sub(lambda match: match[0] if match[0].startswith('"') else " ", text)
    text, incomplete = _completed(text)
    text = _mended(text)
    try:
        return msgspec.json.decode(text), problem[:200], incomplete
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        if (whole := _item_by_item(text)) is not None:
            return whole, f"entries could not be read: {problem}"[:200], incomplete
        # The decoder says "Input data was truncated" for a document that was cut off.
        reason = "truncated" if "truncated" in str(error) else "not_a_feed"
        raise FeedError(f"the document is not JSON: {error}", reason=reason) from error


def _completed(text: str) -> tuple[str, bool]:
    """Return a valid document, and whether the text was cut off.

    Text after the end of the root object is dropped. A text that was cut off is closed after its last complete item (an
    object in a list of the root); when it has no complete item, it is returned unchanged with False.
    """
    opened: list[str] = []
    last = 0
    for match in _SHAPE.finditer(text):
        sign = match[0]
        if sign in "{[":
            opened.append(sign)
        elif sign in "}]" and opened:
            opened.pop()
            if not opened:
                return text[: match.end()], False
            if opened == ["{", "["]:
                last = match.end()
    return (f"{text[:last]}]}}", True) if last else (text, False)


def _item_by_item(text: str) -> dict[str, Any] | None:
    """Return the feed with null for each item that is not valid JSON; None when no item is."""
    opened: list[str] = []
    items: list[Any] = []
    start = first = last = 0
    for match in _SHAPE.finditer(text):
        sign = match[0]
        if sign in "{[":
            opened.append(sign)
            if opened == ["{", "[", "{"]:
                start = match.start()
                first = first or start
        elif sign in "}]" and opened:
            if opened == ["{", "[", "{"]:
                last = match.end()
                items.append(None)
                with contextlib.suppress(msgspec.DecodeError, UnicodeError, RecursionError):
                    items[-1] = msgspec.json.decode(text[start:last])
            opened.pop()
    if not any(items):
        return None
    about: Any = {}
    with contextlib.suppress(msgspec.DecodeError, UnicodeError, RecursionError):
        about = msgspec.json.decode(text[:first] + text[last:])
    return {**(about if isinstance(about, dict) else {}), "items": items}


def _mended(text: str) -> str:
    """Return the text with valid strings, without trailing commas, and with null for NaN and the like.

    In strings, control characters become spaces, a lone surrogate becomes U+FFFD, and a backslash that is not part of
    an escape is removed.
    """
    return _TOKEN.sub(_token, text)


def _token(match: re.Match[str]) -> str:
    if match[0].startswith('"'):
        return _ESCAPE.sub(_escape, match[0])
    return {",": "", "True": "true", "False": "false"}.get(match[0], "null")


def _escape(match: re.Match[str]) -> str:
    whole = match[0]
    if len(whole) == 1:
        return " " if whole < " " else "\ufffd"
    if _LONE.fullmatch(whole):
        return "\\ufffd"
    return whole if whole[1] in '"\\/bfnrt' or len(whole) > 2 else whole[1]


def _entry(item: dict[str, Any], feed_authors: list[str]) -> RawEntry:
    markup, words = _text(item, "content_html") or _said(item, "content"), _text(item, "content_text")
    content = Markup(markup) if markup else Markup(words, "text") if words else None
    summary = _said(item, "summary", "description", "excerpt")
    return RawEntry(
        guid=_said(item, "id", "guid"),
        links=[url for name in ("url", "external_url", "link") if (url := _text(item, name))],
        title=_said(item, "title"),
        summary=Markup(summary, "") if summary else None,
        content=content,
        published=_published(item),
        updated=_said(item, "date_modified", "updated"),
        authors=_authors(item) or feed_authors,
        tags=[tag for tag in _list(item, "tags") or _text(item, "tags").split(",") if isinstance(tag, str)],
        language=_text(item, "language"),
        other_words=[_text(each, "title") for each in _list(item, "attachments") if isinstance(each, dict)],
        images=[(1, url) for url in (_text(item, "image"), _text(item, "banner_image")) if url],
    )


def _items(whole: dict[str, Any]) -> list[Any]:
    """Return the items; some programs write an object with numbered keys instead of a list."""
    items = whole.get("items")
    return list(items.values()) if isinstance(items, dict) else _list(whole, "items")


def _authors(context: dict[str, Any]) -> list[str]:
    people = [*_list(context, "authors"), context.get("author")]
    named = [
        person if isinstance(person, dict) else {"name": person} for person in people if not isinstance(person, int)
    ]
    return [name for person in named if (name := _text(person, "name"))]


def _said(item: dict[str, Any], *names: str) -> str:
    """Return the first text found under one of the names, or inside an object there, as in WordPress's API."""
    for name in names:
        value = item.get(name)
        inside = value if isinstance(value, dict) else item
        found = (_text(inside, each) for each in (_WITHIN if inside is value else (name,)))
        if text := next(filter(None, found), ""):
            return text
    return ""


def _published(item: dict[str, Any]) -> str:
    if found := _text(item, "date_published"):
        return found
    utc = _text(item, "date_gmt")  # WordPress's API writes it without a zone
    return f"{utc}Z" if utc else _said(item, "pubDate", "published", "date")


def _text(context: dict[str, Any], name: str) -> str:
    """Return a string or number as text, else ''. Ids are numbers in many feeds; version 1.1 asks to convert them."""
    value = context.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def _list(context: dict[str, Any], name: str) -> list[Any]:
    value = context.get(name)
    return value if isinstance(value, list) else []

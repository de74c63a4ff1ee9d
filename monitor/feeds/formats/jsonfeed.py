"""JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/), and what calls itself so."""

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
from monitor.feeds.formats.limits import MAX_ENTRIES
from monitor.feeds.formats.newest import newest

#: Objects and lists of a document: each takes 64 bytes or more where `{}` takes 3, and 8 MiB hold almost three million.
MAX_OBJECTS = 250_000

#: A string (or what begins like one and never ends), a comma before a closing bracket, a word that JSON has not.
_TOKEN = re.compile(
    r""""(?:[^"\\]|\\.)*+(?:"|\Z)|,(?=\s*[]}])|(?:-?Infinity|NaN|undefined|None|True|False)\b""", re.DOTALL
)
#: What may be wrong in a string: a pair of surrogates (which is right), an escape, a control, a surrogate as it is.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[\x00-\x1f\ud800-\udfff]",
    re.DOTALL,
)
#: What the shape of a document shows in: a string, or an opening or closing bracket.
_SHAPE = re.compile(r""""(?:[^"\\]|\\.)*+(?:"|\Z)|[][{}]""", re.DOTALL)
#: What servers put before JSON for scripts: the name of a function to call, or what keeps others from running it.
_PREFIX = re.compile(r"(?:\)\]\}'?,?|while\(1\);|for\(;;\);|(?:/\*\*/)?[\w.$]{1,60}\()\s*(?=\{)")
#: A string, or a comment, which JSON has not but those who write it by hand do.
_COMMENT = re.compile(r""""(?:[^"\\]|\\.)*+(?:"|\Z)|/\*.*?(?:\*/|\Z)|(?://|#)[^\n]*""", re.DOTALL)
_LEADING = re.compile(r"(?:\s|/\*(?:(?!\*/).)*+\*/|//[^\n]*\n)+(?=[{\[])", re.DOTALL)
#: What programs write before their answer when something went wrong in them: a notice in HTML or in words.
_NOTICE = re.compile(r"(?:<br ?/?>\s*|<b>|(?:PHP )?(?:Warning|Notice|Deprecated)\b)[^{}]{1,2000}(?=\{\s*\")")
_LONE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


_BEFORE = (_LEADING, _NOTICE, _PREFIX)
#: What an item has, of which a list is read that stands without its feed.
_ITEM = frozenset({"content_html", "content_text", "date_published"})
#: A list of items without the feed around it.
_LIST = re.compile(r"\[\s*\{\s*\"")


def is_json(text: str) -> bool:
    """Tell whether a document is JSON, by its beginning."""
    return text.startswith("{") or _LIST.match(text) is not None or any(each.match(text) for each in _BEFORE)


def read(text: str, setting: FeedContext) -> ParsedFeed:
    """Read the feed in `text`, of which `is_json` holds.

    Raises FeedError: `not_a_feed`, `truncated` (it ends before its first item does), `too_many_objects`.
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
        "jsonfeed.org" in _text(whole, "version") or isinstance(whole.get("items"), list)
    ):
        raise FeedError("the document is JSON, but no JSON Feed", reason="not_a_feed")
    items = [item for item in _list(whole, "items") if isinstance(item, dict)]
    language = entries.tag(_text(whole, "language"))
    inner = setting._replace(language=language)
    hubs = [hub for hub in _list(whole, "hubs") if isinstance(hub, dict) and _text(hub, "type").lower() == "websub"]
    feed_authors = _authors(whole)
    dates = [read_date(_text(item, "date_published")).value for item in items]
    read_item = partial(_entry, feed_authors=feed_authors)
    found, failed = entries.finish_each((items[place] for place in newest(dates)), read_item, inner)
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
        problem=problem or failed or ("" if "jsonfeed.org" in _text(whole, "version") else "no version"),
        truncated=len(items) > MAX_ENTRIES,
        incomplete=incomplete,
    )


def _decoded(text: str) -> tuple[Any, str, bool]:
    """Read JSON, after repair where that is needed; returns it, what was wrong, and whether it ends in the middle.

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
        # "Input data was truncated" is the decoder's word for a document that ends in the middle.
        reason = "truncated" if "truncated" in str(error) else "not_a_feed"
        raise FeedError(f"the document is no JSON: {error}", reason=reason) from error


def _completed(text: str) -> tuple[str, bool]:
    """Return the text up to where its root ends; or up to its last whole item, closed, and True when it never ends.

    An item is an object in a list of the root. A text that ends before the first one does is returned as it is.
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
    """Return a feed with those of its items that are JSON, None when none is: a bad item costs itself."""
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
                with contextlib.suppress(msgspec.DecodeError, UnicodeError, RecursionError):
                    items.append(msgspec.json.decode(text[start:last]))
            opened.pop()
    if not items:
        return None
    about: Any = {}
    with contextlib.suppress(msgspec.DecodeError, UnicodeError, RecursionError):
        about = msgspec.json.decode(text[:first] + text[last:])
    return {**(about if isinstance(about, dict) else {}), "items": items}


def _mended(text: str) -> str:
    """Return the text with strings that JSON allows, no commas after the last member, and null for NaN.

    In strings, controls become spaces, half a surrogate pair becomes U+FFFD, and a backslash that escapes nothing goes.
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
    markup, words = _text(item, "content_html"), _text(item, "content_text")
    content = Markup(markup) if markup else Markup(words, "text") if words else None
    summary = _text(item, "summary")
    return RawEntry(
        guid=_text(item, "id"),
        links=[url for url in (_text(item, "url"), _text(item, "external_url")) if url],
        title=_text(item, "title"),
        summary=Markup(summary, "") if summary else None,
        content=content,
        published=_text(item, "date_published"),
        updated=_text(item, "date_modified"),
        authors=_authors(item) or feed_authors,
        tags=[tag for tag in _list(item, "tags") or _text(item, "tags").split(",") if isinstance(tag, str)],
        language=_text(item, "language"),
        other_words=[_text(each, "title") for each in _list(item, "attachments") if isinstance(each, dict)],
        images=[(1, url) for url in (_text(item, "image"), _text(item, "banner_image")) if url],
    )


def _authors(context: dict[str, Any]) -> list[str]:
    people = [*_list(context, "authors"), context.get("author")]
    named = [person if isinstance(person, dict) else {"name": person} for person in people]
    return [name for person in named if (name := _text(person, "name"))]


def _text(context: dict[str, Any], name: str) -> str:
    """A string, or a number as one: ids are numbers in many feeds (version 1.1 asks readers to coerce them)."""
    value = context.get(name)
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def _list(context: dict[str, Any], name: str) -> list[Any]:
    value = context.get(name)
    return value if isinstance(value, list) else []

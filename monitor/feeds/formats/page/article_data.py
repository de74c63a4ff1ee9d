"""Read the JSON-LD data (schema.org) that a page contains for search engines.

Many pages repeat the article's text there (`articleBody`), and pages behind a paywall say so (`isAccessibleForFree`,
https://developers.google.com/search/docs/appearance/structured-data/paywalled-content).
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from monitor.feeds.formats.fields import html_text

#: The most objects that are examined. Real pages have a few.
_MOST = 500
_FREE = "isAccessibleForFree"
#: Keys whose objects are not the page's article: updates of a live blog, comments and so on.
_OTHERS = frozenset({"liveBlogUpdate", "comment", "review", "itemListElement", "mentions"})


class ArticleData(msgspec.Struct, frozen=True, kw_only=True):
    """The text of a page's article ('' when the page has none or several), and whether it is behind a paywall."""

    text: str = ""
    paid: bool = False


def article_data(scripts: Iterable[str]) -> ArticleData:
    """Return the article data in the JSON-LD scripts of a page; a script that is not JSON is skipped."""
    found = [each for script in scripts for each in _objects(script)]
    texts = {text for each in found if isinstance(text := each.get("articleBody"), str) and text.strip()}
    text = (
        html_text.fold(html_text.text_of(html_text.safe_html(html.unescape(texts.pop()), "")))
        if len(texts) == 1
        else ""
    )
    return ArticleData(text=text, paid=any(str(each.get(_FREE, "")).lower() in {"false", "no"} for each in found))


def _objects(script: str) -> Iterator[dict[str, Any]]:
    try:
        waiting = [msgspec.json.decode(script.strip())]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    for _ in range(_MOST):
        if not waiting:
            return
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += [
                inner for name, inner in value.items() if name not in _OTHERS and isinstance(inner, dict | list)
            ]
        elif isinstance(value, list):
            waiting += value

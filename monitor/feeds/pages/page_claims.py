"""Judges what a page says: whether its text is the article, and whether its canonical address names this article.

Many sites put one canonical address on all their pages, or their home page's; and many show a consent form or an offer
to subscribe instead of the article. Neither may replace what the feed itself said.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from importlib import resources
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec
import yaml

from monitor.errors import DataFileError
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.subscriptions.host_groups import host_group

Notice = Literal["consent", "paywall", "robot"]

_FILE = "notices.yaml"
#: Characters at both ends of a text in which one phrase is enough.
_END = 400
#: Elsewhere: this many phrases, and one at least in so many characters.
_PHRASES, _EACH = 3, 500
_HOME = re.compile(
    r"/?(?:[a-z]{2}(?:[-_][a-z]{2})?/?)?(?:(?:index|home|default|main|start|news|homepage)(?:\.[a-z]{2,5})?/?)?",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[^/?&=.;,:]+")
_DATE = re.compile(r"(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?)?")
_LONG_NUMBER = re.compile(r"\d{4,}")
#: A part of an address that is no date and no section, but a story's own name.
_SLUG = 10
_TITLE_WORDS = 3


def notice_in(text: str) -> Notice | None:
    """Tell whether a page's text is a notice instead of an article, and of which kind; None for an article.

    It is one when a phrase of a notice stands near its beginning, or one of a paywall near its end, at whatever length,
    or when such phrases are all over it. One phrase in the middle of an article is what the article is about.
    """
    folded = re.sub(r"\d+", "0", " ".join(text.casefold().replace("’", "'").split()))
    for kind, phrases in _notices().items():
        found = [phrase for phrase in phrases if phrase in folded]
        ends = (folded[:_END], folded[-_END:]) if kind == "paywall" else (folded[:_END],)
        if any(phrase in end for phrase in found for end in ends):
            return kind
        if len(found) >= _PHRASES and len(found) * _EACH >= len(folded):
            return kind
    return None


def names_article(canonical: str, url: str, *, title: str = "", final: str = "") -> bool:
    """Tell whether a page's canonical address names the article at `url`.

    `final` is where `url` led after redirects. It does when it is the same page by another form of its address, or
    shares the story's own name or number with it, or is made of the title's words, or if the article's own address has
    neither name nor number; it never does when it is a home page
    or on another site.
    """
    parts = urlsplit(canonical)
    if host_group(canonical) not in {host_group(url), host_group(final or url)}:
        return False
    if _HOME.fullmatch(parts.path) and not parts.query:
        return False
    known = [address for address in (url, final) if address and not _is_home(address)]
    key = article_urls.link_key(canonical)
    if any(article_urls.link_key(address) == key for address in known):
        return True
    tokens = _tokens(canonical)
    if any(tokens & _tokens(address) for address in known):
        return True
    if not any(_tokens(address) for address in known):
        # The feed's own address names no story either, so the page's is as good, unless it is a section's.
        return bool(parts.query or re.search(r"[\d-]", parts.path.rstrip("/").rpartition("/")[2]))
    words = {word for word in _words(title) if len(word) > 3}
    shared = words & set(_words(unquote(parts.path)))
    return len(words) > 1 and len(shared) >= min(_TITLE_WORDS, len(words))


def _is_home(url: str) -> bool:
    parts = urlsplit(url)
    return bool(_HOME.fullmatch(parts.path)) and not parts.query


def _tokens(url: str) -> set[str]:
    """Return the parts of an address that name one story: slugs and long numbers, but no years."""
    parts = urlsplit(url)
    found = {token.casefold() for token in _TOKEN.findall(unquote(f"{parts.path}?{parts.query}"))}
    slugs = {token for token in found if len(token) >= _SLUG and ("-" in token or "_" in token)}
    numbers = {number for token in found for number in _LONG_NUMBER.findall(token) if not _is_date(number)}
    return slugs | numbers


def _is_date(number: str) -> bool:
    return bool(_DATE.fullmatch(number))


def _words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", plain)


@cache
def _notices() -> dict[Notice, tuple[str, ...]]:
    text = resources.files("monitor.feeds.pages").joinpath("data", _FILE).read_text(encoding="utf-8")
    try:
        kinds = msgspec.convert(yaml.safe_load(text), dict[Notice, dict[str, tuple[str, ...]]])
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise DataFileError(_FILE, "", str(error)) from error
    for kind, languages in kinds.items():
        for phrase in (phrase for phrases in languages.values() for phrase in phrases):
            if len(phrase) < 3 or re.search(r"[1-9]", phrase):
                raise DataFileError(_FILE, kind, f"{phrase!r} must have no digits, and not be that short")
    return {
        kind: tuple(dict.fromkeys(phrase.casefold() for phrases in found.values() for phrase in phrases))
        for kind, found in kinds.items()
    }

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
from urllib.parse import parse_qsl, unquote, urlsplit

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
_DAY = re.compile(r"(?:19|20)\d\d[-_]\d\d?[-_]\d\d?")
#: Letters and digits mixed, as in the address of a CMS: `c1d2e3f4g5`.
_CODE = re.compile(r"(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{8,}")
#: Parameters that say where one came from or goes to: an article's address in them names another page.
_FORWARDS = frozenset({"from", "to", "next", "return", "returnto", "return_to", "returnurl", "return_url", "redirect",
                       "redirect_to", "redirect_uri", "url", "continue", "target", "goto", "back", "dest",
                       "destination", "origin", "ref", "referrer", "source"})  # fmt: skip
#: A part of an address that is no date and no section, but a story's own name.
_SLUG = 10
_TITLE_WORDS, _FEW_TITLE_WORDS = 3, 2
#: Two words for cookies in so many characters make a text a consent form, in languages without phrases of their own.
_COOKIES_WITHIN = 200


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
    return "consent" if len(_cookie_words().findall(folded, 0, _COOKIES_WITHIN)) > 1 else None


def names_article(canonical: str, url: str, *, title: str = "", final: str = "") -> bool:
    """Tell whether a page's canonical address names the article at `url`.

    `final` is where `url` led after redirects. It does when it is the same page by another form of its address, or
    shares the story's own name or number with it, or is made of the title's words (of fewer, where the article's own
    address has no name). It never does when it is a home page or on another site.
    """
    parts = urlsplit(canonical)
    if host_group(canonical) not in {host_group(url), host_group(final or url)}:
        return False
    if _is_home(canonical):
        return False
    known = [address for address in (url, final) if address and not _is_home(address)]
    key = article_urls.link_key(canonical)
    if any(article_urls.link_key(address) == key for address in known):
        return True
    tokens = _tokens(canonical)
    if any(tokens & _tokens(address) for address in known):
        return True
    is_named = any(_tokens(address) for address in known)
    said = set(_words(unquote(f"{parts.path} {' '.join(_values(canonical))}")))
    if not is_named and any(said & _short_names(address) for address in known):
        return True
    words = {word for word in _words(title) if len(word) > 3}
    return len(words) > 1 and len(words & said) >= min(_TITLE_WORDS if is_named else _FEW_TITLE_WORDS, len(words))


def _is_home(url: str) -> bool:
    """Tell whether an address is a home page's: its parameters, if any, name nothing but a language or a view."""
    names_something = any(len(value) >= _SLUG or re.search(r"\d", value) for value in _values(url))
    return bool(_HOME.fullmatch(urlsplit(url).path)) and not names_something


def _values(url: str) -> list[str]:
    """Return the values of an address's parameters, without those that lead elsewhere."""
    return [value for name, value in parse_qsl(urlsplit(url).query) if name.casefold() not in _FORWARDS]


def _tokens(url: str) -> set[str]:
    """Return the parts of an address that name one story: slugs, codes and long numbers, but no dates."""
    path = unquote(urlsplit(url).path)
    found = {token.casefold() for part in (path, *_values(url)) for token in _TOKEN.findall(part)}
    slugs = {t for t in found if len(t) >= _SLUG and ("-" in t or "_" in t) and not _DAY.fullmatch(t)}
    codes = {token for token in found if _CODE.fullmatch(token)}
    dateless = (_DAY.sub("", token) for token in found)
    numbers = {number for token in dateless for number in _LONG_NUMBER.findall(token) if not _is_date(number)}
    return slugs | codes | numbers


def _short_names(url: str) -> set[str]:
    """Return what may be a story's short number: of the last part of an address's path, and of its parameters."""
    last = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    return {word for part in (last, *_values(url)) for word in _words(part) if re.search(r"\d", word)}


def _is_date(number: str) -> bool:
    return bool(_DATE.fullmatch(number))


def _words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", plain)


class _NoticePhrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data file: stems of words for cookies, and for each kind of notice the phrases of each language."""

    cookies: tuple[str, ...]
    consent: dict[str, tuple[str, ...]]
    paywall: dict[str, tuple[str, ...]]
    robot: dict[str, tuple[str, ...]]


@cache
def _file() -> _NoticePhrases:
    text = resources.files("monitor.feeds.pages").joinpath("data", _FILE).read_text(encoding="utf-8")
    try:
        return msgspec.convert(yaml.safe_load(text), _NoticePhrases)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise DataFileError(_FILE, "", str(error)) from error


@cache
def _cookie_words() -> re.Pattern[str]:
    return re.compile("|".join(re.escape(stem.casefold()) for stem in _file().cookies))


@cache
def _notices() -> dict[Notice, tuple[str, ...]]:
    found = _file()
    kinds: dict[Notice, dict[str, tuple[str, ...]]] = {
        "consent": found.consent,
        "paywall": found.paywall,
        "robot": found.robot,
    }
    for kind, languages in kinds.items():
        for phrase in (phrase for phrases in languages.values() for phrase in phrases):
            if len(phrase) < 3 or re.search(r"[1-9]", phrase):
                raise DataFileError(_FILE, kind, f"{phrase!r} must have no digits, and not be that short")
    return {
        kind: tuple(dict.fromkeys(phrase.casefold() for phrases in languages.values() for phrase in phrases))
        for kind, languages in kinds.items()
    }

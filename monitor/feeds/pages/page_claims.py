"""Judge a fetched page: whether its text is the article, and whether its canonical URL belongs to this article.

Many sites show a consent form or an offer to subscribe instead of the article, and many name their home page as the
canonical URL of every page. Neither may replace the text and link that the feed gave.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from monitor.errors import DataFileError
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.subscriptions.host_groups import host_group
from monitor.yaml_text import read_data_file

Notice = Literal["consent", "paywall", "robot", "missing"]

_FILE = "notices.yaml"
#: One phrase of a notice is enough within this many characters of the text's beginning (for paywalls also its end).
_END = 400
#: Elsewhere there must be at least _PHRASES phrases, and one in every _EACH characters on average.
_PHRASES, _EACH = 3, 500
_HOME = re.compile(
    r"/?(?:[a-z]{2}(?:[-_][a-z]{2})?/?)?(?:(?:index|home|default|main|start|news|homepage)(?:\.[a-z]{2,5})?/?)?",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[^/?&=.;,:]+")
_DATE = re.compile(r"(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?)?")
_LONG_NUMBER = re.compile(r"\d{4,}")
_DAY = re.compile(r"(?:19|20)\d\d[-_]\d\d?[-_]\d\d?")
#: An identifier of letters and digits, as content management systems make them: `c1d2e3f4g5`.
_CODE = re.compile(r"(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{8,}")
#: Parameters with the URL of another page, such as the page to return to after a login.
_FORWARDS = frozenset({"from", "to", "next", "return", "returnto", "return_to", "returnurl", "return_url", "redirect",
                       "redirect_to", "redirect_uri", "url", "continue", "target", "goto", "back", "dest",
                       "destination", "origin", "ref", "referrer", "source"})  # fmt: skip
#: A slug, the name of a story in a URL, has at least this many characters.
_SLUG = 10
#: How many words of the title a URL must contain: usually, and when the article's own URL contains no name.
_TITLE_WORDS, _FEW_TITLE_WORDS = 3, 2
#: Two texts are compared by the first _STEM letters of their words. With fewer than _FEW_STEMS of them there is nothing
#: to compare; a page with less than _COMMON_SHARE of them in common with the feed's text is not the article.
_STEM, _FEW_STEMS, _COMMON_SHARE = 5, 5, 0.25
#: Scripts from this character on have no spaces: Thai, Lao, Khmer, Chinese, Japanese.
_UNSPACED = "\u0e00"
#: Two words for cookies within so many characters show a consent form, in languages for which there are no phrases.
_COOKIES_WITHIN = 200


def notice_in(text: str) -> Notice | None:
    """Return the kind of notice that a page shows instead of an article; None for an article.

    A text is a notice when a phrase of a notice is near its beginning, or one of a paywall near its end, or when such
    phrases are all over it. A single phrase in the middle belongs to an article about the subject.
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
    """Tell whether a page's canonical URL belongs to the article at `url`.

    `final` is the URL after redirects. The canonical URL belongs to the article when it is another form of the same
    URL, has a slug or number in common with it, or contains words of the title. It never does when it is a home page, a
    form or a list, or on another site.
    """
    parts = urlsplit(canonical)
    if host_group(canonical) not in {host_group(url), host_group(final or url)}:
        return False
    if _is_home(canonical) or not _places(canonical) & _file().elsewhere <= _places(url) | _places(final):
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


def is_about(text: str, said: str) -> bool:
    """Tell whether a page's text is about the same as the feed's title and summary (`said`), by their common words.

    A form, an offer or an error page shares hardly any words with them, in any language. When the feed's text is too
    short to compare, the page is accepted.
    """
    wanted = _stems(said)
    return len(wanted) < _FEW_STEMS or len(wanted & _stems(text)) >= _COMMON_SHARE * len(wanted)


def _stems(text: str) -> set[str]:
    """Return the first letters of a text's longer words, or in scripts without spaces all pairs of characters."""
    found = set[str]()
    for word in _words(text):
        if word[0] >= _UNSPACED:
            found |= {word[at : at + 2] for at in range(len(word) - 1)}
        elif len(word) >= _STEM:
            found.add(word[:_STEM])
    return found


def _places(url: str) -> set[str]:
    return {part.casefold() for part in urlsplit(url).path.split("/") if part} if url else set()


def _is_home(url: str) -> bool:
    """Tell whether a URL is a home page; its parameters, if any, only choose a language or view."""
    names_something = any(len(value) >= _SLUG or re.search(r"\d", value) for value in _values(url))
    return bool(_HOME.fullmatch(urlsplit(url).path)) and not names_something


def _values(url: str) -> list[str]:
    """Return the values of a URL's parameters, without those that contain the URL of another page."""
    return [value for name, value in parse_qsl(urlsplit(url).query) if name.casefold() not in _FORWARDS]


def _tokens(url: str) -> set[str]:
    """Return the parts of a URL that identify a story: slugs, codes and long numbers, but no dates."""
    path = unquote(urlsplit(url).path)
    found = {token.casefold() for part in (path, *_values(url)) for token in _TOKEN.findall(part)}
    slugs = {t for t in found if len(t) >= _SLUG and ("-" in t or "_" in t) and not _DAY.fullmatch(t)}
    codes = {token for token in found if _CODE.fullmatch(token)}
    dateless = (_DAY.sub("", token) for token in found)
    numbers = {number for token in dateless for number in _LONG_NUMBER.findall(token) if not _is_date(number)}
    return slugs | codes | numbers


def _short_names(url: str) -> set[str]:
    """Return words with digits from the last segment of a URL's path and its parameters, such as a story's number."""
    last = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    return {word for part in (last, *_values(url)) for word in _words(part) if re.search(r"\d", word)}


def _is_date(number: str) -> bool:
    return bool(_DATE.fullmatch(number))


def _words(text: str) -> list[str]:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", plain)


class _NoticePhrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The data file: words for cookies, phrases of notices by kind and language, path segments of forms and lists."""

    cookies: tuple[str, ...]
    consent: dict[str, tuple[str, ...]]
    paywall: dict[str, tuple[str, ...]]
    robot: dict[str, tuple[str, ...]]
    missing: dict[str, tuple[str, ...]]
    elsewhere: frozenset[str]


@cache
def _file() -> _NoticePhrases:
    return read_data_file(Path(__file__).parent / "data" / _FILE, _NoticePhrases)


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
        "missing": found.missing,
    }
    for kind, languages in kinds.items():
        for phrase in (phrase for phrases in languages.values() for phrase in phrases):
            if len(phrase) < 3 or re.search(r"[1-9]", phrase):
                raise DataFileError(_FILE, kind, f"{phrase!r} must have 3 characters or more, and no digit but 0")
    return {
        kind: tuple(dict.fromkeys(phrase.casefold() for phrases in languages.values() for phrase in phrases))
        for kind, languages in kinds.items()
    }

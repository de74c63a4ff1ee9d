"""Bring the URLs of articles into canonical form, and make the keys by which two URLs are compared."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import urljoin

import ada_url
import msgspec

from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "tracking.yaml"
#: Longer URLs are dropped (RFC 9110, section 4.1, recommends to support 8,000 octets).
MAX_URL = 8_000
#: URLs that are in normal form already, as nearly all are: a plain host name that ends in letters, and no segment of
#: the path that begins with a dot.
_NORMAL = re.compile(
    r"https?://(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}(?:/(?!\.)[A-Za-z0-9_~=:@!$&()*+,;.-]*)+"
    r"(?:\?[A-Za-z0-9_~=:@!$&()*+,;./?-]*)?"
)
#: A URL in quotes, in brackets, or in HTML.
_WRAPPED = re.compile(r"[<\"'(]\s*(https?):/{1,2}([^/\s<>\"')\]][^\s<>\"')\]]*)")
#: A whole URL that a program appended to the URL of its site.
_PREFIXED = re.compile(r"https?://[^/?#]+/(https?):/{1,2}([^/].*)")
#: A scheme that is written twice, lacks its colon, or comes after `feed:`.
_SCHEME = re.compile(r"(?:feed:(?://)?|https?:/{2})?(https?)(?::?//|:/(?!/))(?=[^/])(?!.*/https?://)")
#: Where a program wrapped a URL: the end of a line, or the indentation after it.
_WRAP = re.compile(r"[\r\n]|  ")
#: An escaped byte. Its letters may be of either case (RFC 3986, 6.2.2.1).
_ESCAPED = re.compile(r"%[0-9A-Fa-f]{2}")
_BREAKS = dict.fromkeys(map(ord, "\t\n\r"))
_AMP_PATH = re.compile(r"(?:/amp/?|\.amp(?=\.html$|$))$")
#: The number of characters at the end of a path in which `_AMP_PATH` can match.
_AMP_ENDING = len("amp.html")
_AMP_PAIRS = frozenset({"outputtype=amp", "amp=1", "amp=true", "amp"})


class _Tracking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    prefixes: tuple[str, ...]
    names: frozenset[str]
    pairs: frozenset[str]
    same_hosts: frozenset[str]

    def __post_init__(self) -> None:
        for word in (*self.prefixes, *self.names, *self.pairs):
            # Names are compared in lower case, so a capital here could never match (miniflux's __readwiseLocation).
            if not word or word != word.lower():
                raise ValueError(f"{word!r} must be lower case and not empty")


@cache
def _tracking() -> _Tracking:
    return read_data_file(_FILE, _Tracking)


def absolute(base: str, reference: str) -> str:
    """Resolve `reference` against `base` and normalise it; return '' when the result is not an http(s) URL."""
    if not reference.isprintable():
        reference = reference.translate(_BREAKS)
    reference = reference.strip("\x00\x0b\x0c \u00a0\u200b\ufeff")
    if not reference or len(reference) > MAX_URL:
        return ""
    if _NORMAL.fullmatch(reference):
        return reference
    return _resolved(base, reference)


def tidied(reference: str, base: str) -> str:
    """Repair common mistakes in a URL: ends of lines, quotes, brackets or HTML, a missing or doubled scheme.

    For example `<a href="https://a.example/1">` gives `https://a.example/1`. `base` is the URL that `reference` may
    have been resolved against already.
    """
    if _NORMAL.fullmatch(reference) and ":/" not in reference[8:] and "www." not in reference[12:]:
        return reference
    if "\n" in reference or "  " in reference:
        reference = "".join(part.strip() for part in _WRAP.split(reference))
    if match := _WRAPPED.search(reference) or _PREFIXED.fullmatch(reference):
        return f"{match[1]}://{match[2]}"
    folder = base.rpartition("/")[0] + "/"
    inside = reference.removeprefix(folder) if folder.count("/") > 2 else reference
    if inside.startswith("www."):
        return f"https://{inside}"
    return _SCHEME.sub(r"\1://", inside) if _SCHEME.match(inside) else reference


def is_home(url: str) -> bool:
    """Tell whether an absolute URL is the home page of a site."""
    return url.count("/") == 3 and url.endswith("/")


# The next three are called several times for each URL of a document.
@lru_cache(maxsize=1024)
def _resolved(base: str, reference: str) -> str:
    try:
        url = ada_url.join_url(base, reference) if base else ada_url.normalize_url(reference)
    except ValueError:
        try:
            # An invalid base must not spoil a valid absolute reference, nor the other way round.
            url = ada_url.normalize_url(urljoin(base, reference))
        except ValueError:
            return ""
    if not url.startswith(("http://", "https://")) or len(url) > MAX_URL:
        return ""
    return url


@lru_cache(maxsize=1024)
def canonical(url: str) -> str:
    """Return the canonical form of a URL, '' when it is not an http(s) URL.

    The host becomes lower-case ASCII. Default port, user, password and tracking parameters (`utm_source=...`) are
    removed, and so is the fragment, except one that selects the page (`#!`). Other parameters stay, in order.
    """
    normal = absolute("", url)
    if not ("?" in normal or "#" in normal or "@" in normal):
        return normal  # the usual case: there is nothing to remove
    scheme, netloc, path, query, fragment = _split(normal)
    if query:
        rules = _tracking()
        query = "&".join(p for p in query.split("&") if p and not _is_tracking(p, rules))
    host = netloc.rpartition("@")[2]
    kept = f"#{fragment}" if fragment.startswith("!") else ""
    return f"{scheme}://{host}{path or '/'}" + (f"?{query}" if query else "") + kept


@lru_cache(maxsize=1024)
def link_key(url: str) -> str:
    """Return a key that is equal for all URLs of one page: canonical, without scheme, `www.`, AMP and final slash."""
    clean = canonical(url)
    if not clean:
        return ""
    if "%" in clean:
        clean = _ESCAPED.sub(lambda match: match[0].upper(), clean)
    _, host, path, query, fragment = _split(clean)
    first, _, rest = host.partition(".")
    if first in _tracking().same_hosts and "." in rest:
        host = rest
    if "amp" in path[-_AMP_ENDING:]:
        path = _AMP_PATH.sub("", path)
    query = "&".join(p for p in query.split("&") if p and p.lower() not in _AMP_PAIRS) if query else ""
    return f"//{host}{path.rstrip('/') or '/'}" + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")


def _split(url: str) -> tuple[str, str, str, str, str]:
    """Split a normalised URL: scheme, host with user and port, path, query, fragment."""
    scheme, _, rest = url.partition("://")
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    netloc, slash, path = rest.partition("/")
    return scheme, netloc, slash + path, query, fragment


def _is_tracking(parameter: str, rules: _Tracking) -> bool:
    low = parameter.lower()
    name = low.partition("=")[0]
    return name in rules.names or low in rules.pairs or name.startswith(rules.prefixes)

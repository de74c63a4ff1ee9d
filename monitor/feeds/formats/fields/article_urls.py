"""Gives addresses of articles their canonical form, and the key by which two of them are compared."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from importlib import resources
from urllib.parse import urljoin

import ada_url
import msgspec
import yaml

from monitor.errors import DataFileError

_FILE = "tracking.yaml"
#: Longer addresses are not addresses (RFC 9110, section 4.1, recommends to support 8,000 octets).
MAX_URL = 8_000
#: Addresses that are normal as they stand, as nearly all are: a plain name that ends in letters, and no part of the
#: path that begins with a dot.
_NORMAL = re.compile(
    r"https?://(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}(?:/(?!\.)[A-Za-z0-9_~=:@!$&()*+,;.-]*)+"
    r"(?:\?[A-Za-z0-9_~=:@!$&()*+,;./?-]*)?"
)
_BREAKS = dict.fromkeys(map(ord, "\t\n\r"))
_AMP_PATH = re.compile(r"(?:/amp/?|\.amp(?=\.html$|$))$")
#: Characters of the path's end in which those have their name.
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
    text = resources.files("monitor.feeds.formats.fields").joinpath("data", _FILE).read_text(encoding="utf-8")
    try:
        return msgspec.convert(yaml.safe_load(text), _Tracking)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise DataFileError(_FILE, "", str(error)) from error


def absolute(base: str, reference: str) -> str:
    """Resolve `reference` against `base` and normalise it; returns '' when the result is no http(s) address."""
    if not reference.isprintable():
        reference = reference.translate(_BREAKS)
    reference = reference.strip("\x00\x0b\x0c \u00a0\u200b\ufeff")
    if not reference or len(reference) > MAX_URL:
        return ""
    if _NORMAL.fullmatch(reference):
        return reference
    return _resolved(base, reference)


# These three are asked several times about each address of a document.
@lru_cache(maxsize=1024)
def _resolved(base: str, reference: str) -> str:
    try:
        url = ada_url.join_url(base, reference) if base else ada_url.normalize_url(reference)
    except ValueError:
        try:
            # A base that is no address must not spoil a reference that is one, and the other way round.
            url = ada_url.normalize_url(urljoin(base, reference))
        except ValueError:
            return ""
    if not url.startswith(("http://", "https://")) or len(url) > MAX_URL:
        return ""
    return url


@lru_cache(maxsize=1024)
def canonical(url: str) -> str:
    """Return the address without what says how the reader came there; '' when it is no http(s) address.

    Host in lower case and ASCII, no default port, no user and password, no tracking parameters, no fragment except one
    that selects the page (`#!`); the remaining parameters stay in order.
    """
    normal = absolute("", url)
    if not ("?" in normal or "#" in normal or "@" in normal):
        return normal  # as nearly all are: nothing in it could be left out
    scheme, netloc, path, query, fragment = _split(normal)
    if query:
        rules = _tracking()
        query = "&".join(p for p in query.split("&") if p and not _is_tracking(p, rules))
    host = netloc.rpartition("@")[2]
    kept = f"#{fragment}" if fragment.startswith("!") else ""
    return f"{scheme}://{host}{path or '/'}" + (f"?{query}" if query else "") + kept


@lru_cache(maxsize=1024)
def link_key(url: str) -> str:
    """Return what equal pages share: the canonical address without scheme, `www.`, AMP variant and final slash."""
    clean = canonical(url)
    if not clean:
        return ""
    _, host, path, query, fragment = _split(clean)
    first, _, rest = host.partition(".")
    if first in _tracking().same_hosts and "." in rest:
        host = rest
    if "amp" in path[-_AMP_ENDING:]:
        path = _AMP_PATH.sub("", path)
    query = "&".join(p for p in query.split("&") if p and p.lower() not in _AMP_PAIRS) if query else ""
    return f"//{host}{path.rstrip('/') or '/'}" + (f"?{query}" if query else "") + (f"#{fragment}" if fragment else "")


def _split(url: str) -> tuple[str, str, str, str, str]:
    """Split a normalised address: scheme, host with user and port, path, query, fragment."""
    scheme, _, rest = url.partition("://")
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    netloc, slash, path = rest.partition("/")
    return scheme, netloc, slash + path, query, fragment


def _is_tracking(parameter: str, rules: _Tracking) -> bool:
    low = parameter.lower()
    name = low.partition("=")[0]
    return name in rules.names or low in rules.pairs or name.startswith(rules.prefixes)

"""Unwrap redirect links: find the publisher's URL that is contained in the link itself. Nothing is fetched.

Google News, Google Alerts, Bing and others wrap the URL of each article in one of their own. Other feeds have the
publisher's URL, so unwrapping it shows that two entries are the same story.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from monitor.feeds.formats.fields.article_urls import absolute
from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "redirectors.yaml"
#: How often a link is unwrapped again.
_DEPTH = 3
_PACKED_URL = re.compile(rb"https?://[!-~]+")


class _Redirector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str
    path: str
    parameters: tuple[str, ...] = ()
    after: str = ""
    until: str = ""
    scheme: str = ""
    packed: bool = False


def publishers_address(link: str) -> str:
    """Return the URL that a redirect link contains, or the link itself when it contains none.

    `link` is absolute. For example `https://www.google.com/url?url=https://a.example/1` gives `https://a.example/1`.
    """
    for _ in range(_DEPTH):
        found = _target(link)
        if not found:
            break
        link = found
    return link


def _target(link: str) -> str:
    host = link.split("/", 3)[2] if link.count("/") > 2 else ""
    rules = _rules_of(host)
    if not rules:
        return ""
    parts = urlsplit(link)
    for rule in rules:
        if not parts.path.startswith(rule.path):
            continue
        if rule.packed:
            texts = [_unpacked(parts.path.removeprefix(rule.path).partition("/")[0])]
        elif rule.after:
            rest = link.partition(rule.after)[2]
            texts = [rule.scheme + unquote(rest.partition(rule.until)[0] if rule.until else rest)]
        else:
            values = parse_qs(parts.query, max_num_fields=100)
            texts = [value for name in rule.parameters for value in values.get(name, ())]
        for text in texts:
            if text.startswith(("http://", "https://")) and (found := absolute("", text)) and found != link:
                return found
    return ""


def _unpacked(token: str) -> str:
    """Return the URL in a base64 token, '' when it contains none."""
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return ""
    match = _PACKED_URL.search(data)
    if match is None or match.start() == 0:
        return ""
    # The bytes before the URL give its length, as a varint of Protocol Buffers with one or two bytes.
    last = data[match.start() - 1]
    before = data[match.start() - 2] if match.start() > 1 else 0
    length = last if before < 0x80 or last >= 0x80 else (before & 0x7F) | last << 7
    found = match[0][: length if length <= len(match[0]) else last]
    return found.decode("ascii") if len(found) == length else ""


def _names(host: str) -> Iterator[str]:
    """Yield the keys under which the rules for a host may be listed: the host, `*.example.org`, `google.*`."""
    labels = host.split(".")
    yield host
    for at in range(1, len(labels) - 1):
        yield f"*.{'.'.join(labels[at:])}"
    # `google.*` stands for google.de, www.google.co.uk and so on.
    yield from (f"{label}.*" for label in labels[-3:-1])


@lru_cache(maxsize=1024)
def _rules_of(host: str) -> tuple[_Redirector, ...]:
    """Return the rules for a host, which may come with port and user; () for most hosts."""
    host = host.partition(":")[0].rpartition("@")[2]
    return next((known for name in _names(host) if (known := _rules().get(name))), ())


@cache
def _rules() -> dict[str, tuple[_Redirector, ...]]:
    """Return the rules by host, `*.domain` or `name.*`."""
    found: dict[str, tuple[_Redirector, ...]] = {}
    for rule in read_data_file(_FILE, tuple[_Redirector, ...]):
        found[rule.host] = (*found.get(rule.host, ()), rule)
    return found

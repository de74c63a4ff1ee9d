"""Finds the publisher's address in a link that only leads on, where the link itself tells it. Nothing is fetched.

Google News, Google Alerts, Bing and others wrap the address of each article in one of their own. The wrapped one is
what other feeds name, so the same story can be known by it.
"""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from monitor.feeds.formats.fields.article_urls import absolute
from monitor.feeds.formats.fields.date_words import load_names

#: Wrapped addresses within wrapped ones that are opened.
_DEPTH = 3
_PACKED_URL = re.compile(rb"https?://[!-~]+")


class _Redirector(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    host: str
    path: str
    parameters: tuple[str, ...] = ()
    after: str = ""
    packed: bool = False


def publishers_address(link: str) -> str:
    """Return the address that a link leads to, if the link tells it, else the link itself.

    `link` is absolute. For example `https://www.google.com/url?url=https://a.example/1` gives `https://a.example/1`.
    """
    for _ in range(_DEPTH):
        found = _told(link)
        if not found:
            break
        link = found
    return link


def _told(link: str) -> str:
    host = link.split("/", 3)[2] if link.count("/") > 2 else ""
    rules = _rules().get(host.partition(":")[0].rpartition("@")[2]) or _rules().get(f"*.{_site(host)}", ())
    if not rules:
        return ""
    parts = urlsplit(link)
    for rule in rules:
        if not parts.path.startswith(rule.path):
            continue
        if rule.packed:
            texts = [_unpacked(parts.path.removeprefix(rule.path).partition("/")[0])]
        elif rule.after:
            texts = [unquote(link.partition(rule.after)[2].partition("/RK=")[0])]
        else:
            values = parse_qs(parts.query, max_num_fields=100)
            texts = [value for name in rule.parameters for value in values.get(name, ())]
        for text in texts:
            if text.startswith(("http://", "https://")) and (found := absolute("", text)) and found != link:
                return found
    return ""


def _unpacked(token: str) -> str:
    """Return the address in a base64 token, '' when there is none in it."""
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return ""
    match = _PACKED_URL.search(data)
    if match is None or match.start() == 0:
        return ""
    # The length stands before the address, in one byte or two (a varint of protocol buffers).
    last = data[match.start() - 1]
    before = data[match.start() - 2] if match.start() > 1 else 0
    length = last if before < 0x80 or last >= 0x80 else (before & 0x7F) | last << 7
    found = match[0][: length if length <= len(match[0]) else last]
    return found.decode("ascii") if len(found) == length else ""


def _site(host: str) -> str:
    return ".".join(host.rsplit(".", 3)[-2:]) if host.count(".") < 3 else ".".join(host.split(".")[-3:])


@cache
def _rules() -> dict[str, tuple[_Redirector, ...]]:
    """Map a host, or `*.` and a site, to its rules."""
    found: dict[str, tuple[_Redirector, ...]] = {}
    for rule in load_names("redirectors.yaml", tuple[_Redirector, ...]):
        found[rule.host] = (*found.get(rule.host, ()), rule)
    return found

"""Clean texts and URLs from outside before they are printed or linked. Each output still has to escape them itself."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_MAX_URL = 2000

_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 and C1 controls
    "\u200b\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"  # direction and invisible marks
    "\ud800-\udfff\ufffe\uffff]"  # lone surrogates, which can't be encoded, and what XML forbids
)


def printable(text: str) -> str:
    """Return the text without control characters, direction and invisible marks, and lone surrogates."""
    return _UNWANTED.sub("", text)


def web_address(url: str) -> str:
    """Return the URL when it is a plain http(s) one, else '', so that `javascript:` is never linked."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    if not good or len(url) > _MAX_URL or _UNWANTED.search(url) or re.search(r"[\s<>\"'`\\{}|^]", url):
        return ""
    return url

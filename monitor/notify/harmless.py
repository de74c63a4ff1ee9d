"""Make texts from outside harmless for every receiver: names, headlines, addresses. Escaping is the receiver's own."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

MAX_NAME = 80
MAX_TITLE = 200
MAX_BRIEF = 2000
_MAX_URL = 2000

_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 and C1 controls
    "\u200b\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"  # direction and invisible marks
    "\ud800-\udfff]"  # lone surrogates, which no encoder takes
)


def clean(text: str, limit: int = MAX_TITLE) -> str:
    """Return one line without control, direction or invisible characters, cut at `limit` with an ellipsis."""
    text = " ".join(_UNWANTED.sub("", text).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def safe_url(url: str) -> str:
    """Return the address when it is a plain web address, else nothing: `javascript:` and its like are never linked."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    if not good or len(url) > _MAX_URL or _UNWANTED.search(url) or any(c in url for c in " \t\r\n<>\"'|\\^`{}"):
        return ""
    return url

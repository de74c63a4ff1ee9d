"""Clean and shorten texts from outside (names, headlines, briefs) before a message shows them."""

from __future__ import annotations

from monitor.http.untrusted import printable

MAX_NAME = 80
MAX_TITLE = 200
MAX_BRIEF = 2000


def clean(text: str, limit: int = MAX_TITLE) -> str:
    """Return one line without control, direction or invisible characters, cut at `limit` with an ellipsis."""
    text = " ".join(printable(text).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"

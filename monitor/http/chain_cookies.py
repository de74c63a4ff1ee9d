"""Keep cookies during one chain of redirects, and forget them afterwards.

Some servers set a cookie and redirect to the same URL to see whether the cookie comes back; without it they redirect
for ever. So a poll sends the cookies that were set in its own chain of redirects, to the hosts they are meant for
(RFC 6265, section 5, without storage).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_MAX_COOKIES, _MAX_LENGTH = 50, 4096
#: A Max-Age that deletes the cookie.
_ENDED = re.compile(r"-\d+|0+")


class ChainCookies:
    """The cookies of one chain of redirects. `version` changes whenever a cookie does."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], tuple[str, bool, bool]] = {}
        self.version = 0

    def note(self, url: str, line: str) -> None:
        """Store the cookie of a Set-Cookie header from `url`; ignore one without a name or for another host."""
        parts = [part.strip() for part in line.split(";")]
        name, equals, value = parts[0].partition("=")
        name, host = name.strip(), urlsplit(url).hostname or ""
        attributes = {key.strip().lower(): said.strip() for key, _, said in (part.partition("=") for part in parts[1:])}
        domain = attributes.get("domain", "").lstrip(".").lower()
        if not equals or not name or len(line) > _MAX_LENGTH or not line.isprintable():
            return
        if domain and domain != host and not (host.endswith(f".{domain}") and "." in domain):
            return
        key = (domain or host, name)
        before = self._values.get(key)
        is_over = _ENDED.fullmatch(attributes.get("max-age", "")) is not None or "1970" in attributes.get("expires", "")
        if is_over or value == "":
            self._values.pop(key, None)
        elif len(self._values) < _MAX_COOKIES:
            self._values[key] = (value.strip(), bool(domain), "secure" in attributes)
        self.version += self._values.get(key) != before

    def header(self, url: str, own: str = "") -> str:
        """Return the Cookie header for a request to `url`, with the user's `own` cookies first; '' for none."""
        if not self._values:
            return own
        parts = urlsplit(url)
        host = parts.hostname or ""
        found = [
            f"{name}={value}"
            for (domain, name), (value, below, secure) in self._values.items()
            if (host == domain or (below and host.endswith(f".{domain}"))) and (parts.scheme == "https" or not secure)
        ]
        return "; ".join((own, *found) if own else found)

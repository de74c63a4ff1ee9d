"""Host groups: hosts that are treated as one server, so that they get one request at a time and pause together."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

#: Only the ICANN section of the public suffix list. In the private section each blog of tumblr.com or blogspot.com is a
#: domain of its own, although the same servers answer for all of them (FreshRSS #8925).
_SUFFIXES = PublicSuffixList(only_icann=True)


@lru_cache(maxsize=65536)
def host_group(url: str) -> str:
    """Return the registrable domain of a URL (`feeds.bbci.co.uk` -> `bbci.co.uk`), or its host if it has none.

    IP addresses, `localhost` and the names of an intranet have no registrable domain.
    """
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        host = host.encode("idna").decode("ascii") if not host.isascii() else host
    except UnicodeError:
        return host
    return str(_SUFFIXES.privatesuffix(host) or host)

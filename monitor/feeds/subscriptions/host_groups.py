"""Host groups: the sites that are treated as one server, polled one request at a time and paused together."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

#: ICANN and private section: every tumblr.com or blogspot.com blog is its own registrable domain in the private
#: section, but one set of servers answers for all of them, so only the ICANN section counts here (FreshRSS #8925).
_SUFFIXES = PublicSuffixList(only_icann=True)


@lru_cache(maxsize=65536)
def host_group(url: str) -> str:
    """Return the registrable domain of an address (`feeds.bbci.co.uk` -> `bbci.co.uk`), or its host if it has none.

    Addresses without a registrable domain are IP addresses, `localhost`, and names of an intranet.
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

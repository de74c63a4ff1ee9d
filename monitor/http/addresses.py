"""Look up the IP addresses of a host, and decide whether it may be connected to.

A feed, a redirect or a hub can name any host, and so could make the poller send requests into its own network (SSRF).
The rule: *all* addresses of a host must be public, and the connection goes to the address that was checked; the name is
not looked up a second time.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeAlias

from monitor.errors import HttpError

IPAddress: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Networks that are refused although Python's `is_global` accepts them, or accepts them in some versions.
_REFUSED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "64:ff9b::/96",  # NAT64, RFC 6052
        "64:ff9b:1::/48",  # local NAT64, RFC 8215
        "2002::/16",  # 6to4, RFC 3056
        "2001::/32",  # Teredo, RFC 4380
        "::/96",  # IPv4-compatible, RFC 4291
        "fec0::/10",  # site-local, RFC 3879
        "3fff::/20",  # documentation, RFC 9637
        "5f00::/16",  # segment routing, RFC 9602
    )
)
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_PRIVATE_V4 = tuple(
    ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8")
)
_UNIQUE_LOCAL = ipaddress.IPv6Network("fc00::/7")
_COMPATIBLE = ipaddress.IPv6Network("::/96")

POSITIVE_S, NEGATIVE_S, LOOKUP_TIMEOUT_S = 60.0, 30.0, 5.0
THREADS = 64
_MAX_CACHED = 20_000

#: Returns the addresses of a host and port as texts. Blocks; raises OSError.
Lookup = Callable[[str, int], list[str]]


class AddressRefusedError(HttpError):
    """The host has an address to which feeds may not lead, such as one in a private network."""

    reason = "address_refused"


# Cached, since a poller checks the same addresses again and again and Python's `is_global` is slow.
@lru_cache(maxsize=4096)
def is_public(address: IPAddress) -> bool:
    """Tell whether the address belongs to the public internet. IPv4 addresses inside IPv6 ones are checked too."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.scope_id is not None:
            return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address.version == net.version and address in net for net in _REFUSED)
    )


@lru_cache(maxsize=4096)
def is_private(address: IPAddress) -> bool:
    """Tell whether the address is loopback, private (RFC 1918) or unique local (RFC 4193); link-local ones are not."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        return is_private(inner) if inner is not None else address.is_loopback or address in _UNIQUE_LOCAL
    return any(address in net for net in _PRIVATE_V4)


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read a list of networks such as `10.1.0.0/16` or single addresses. Raises ValueError for an invalid one."""
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)


class AddressBook:
    """Looks up hosts, and returns only addresses that may be connected to.

    Lookups run in threads of their own: in the loop's default threads a few hosts without answer would block everything
    else. Answers are cached for a minute and failures for half a minute; callers that ask for the same host share one
    lookup. `allowed` are private networks that may be connected to. Tests inject `lookup` and `monotonic`. Close it
    when done.
    """

    def __init__(
        self,
        allowed: Iterable[Network] = (),
        *,
        lookup: Lookup | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._allowed = tuple(allowed)
        self._lookup = lookup or _getaddrinfo
        self._monotonic = monotonic
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="dns")
        self._known: dict[tuple[str, int], tuple[float, tuple[IPAddress, ...] | HttpError]] = {}
        self._asked: dict[tuple[str, int], asyncio.Task[tuple[IPAddress, ...] | HttpError]] = {}

    def close(self) -> None:
        """Stop the threads without waiting for a lookup that hangs."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def addresses(self, host: str, port: int, *, private: bool = False) -> tuple[str, ...]:
        """Return the addresses of `host`. With `private`, addresses of private networks are allowed too.

        Raises AddressRefusedError when any of them is not allowed, HttpError (`dns`, `dns_timeout`) when there are
        none.
        """
        found = await self._find(host, port)
        for address in found:
            if not self._passes(address, private=private):
                raise AddressRefusedError(f"{host} leads to {address}, which is not a public address")
        return tuple(str(address) for address in found)

    def _passes(self, address: IPAddress, *, private: bool) -> bool:
        if is_public(address) or (private and is_private(address)):
            return True
        plain = _unwrapped(address)
        return any(plain.version == net.version and plain in net for net in self._allowed)

    async def _find(self, host: str, port: int) -> tuple[IPAddress, ...]:
        if host[-1:].isdigit() or ":" in host:  # only then it can be an IP address, and trying to parse one is slow
            with contextlib.suppress(ValueError):
                return (ipaddress.ip_address(host),)
        key = (host, port)
        until, answer = self._known.get(key, (0.0, ()))
        if until <= self._monotonic():
            task = self._asked.get(key)
            if task is None:
                task = self._asked[key] = asyncio.ensure_future(self._ask(host, port))
                task.add_done_callback(lambda _: self._asked.pop(key, None))
            # Shielded: a caller whose deadline passes must not cancel the lookup that others wait for.
            answer = await asyncio.shield(task)
        if isinstance(answer, HttpError):
            raise HttpError(str(answer), reason=answer.reason)
        return answer

    async def _ask(self, host: str, port: int) -> tuple[IPAddress, ...] | HttpError:
        loop = asyncio.get_running_loop()
        answer: tuple[IPAddress, ...] | HttpError
        try:
            async with asyncio.timeout(LOOKUP_TIMEOUT_S):
                texts = await loop.run_in_executor(self._threads, self._lookup, host, port)
            answer = tuple(ipaddress.ip_address(text) for text in dict.fromkeys(texts))
            if not answer:
                answer = HttpError(f"{host} has no address", reason="dns")
        except TimeoutError:
            answer = HttpError(f"{host}: no answer from DNS within {LOOKUP_TIMEOUT_S:g} s", reason="dns_timeout")
        except (OSError, ValueError, UnicodeError) as error:
            answer = HttpError(f"{host} can't be found: {error}", reason="dns")
        if len(self._known) >= _MAX_CACHED:
            self._known.clear()
        keep = NEGATIVE_S if isinstance(answer, HttpError) else POSITIVE_S
        self._known[host, port] = (self._monotonic() + keep, answer)
        return answer


def _unwrapped(address: IPAddress) -> IPAddress:
    """Return the IPv4 address inside an IPv6 one, if any, so that an allow-list can name networks in IPv4 only."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in net for net in _NAT64) or (address in _COMPATIBLE and int(address) > 0xFFFF):
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _getaddrinfo(host: str, port: int) -> list[str]:
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

"""The bundled outlets: name, owner, country and hosts of each, and for official sites the state they speak for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from monitor.errors import DataFileError
from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "outlets.yaml"
FILE = _FILE.name


class OutletFeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A feed of an outlet, with the options of a `Subscription` that the bundled list sets."""

    id: str
    url: str
    language: str
    title: str = ""
    country: str = ""
    accept: str = ""
    enabled: bool = True
    notes: str = ""

    def options(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, as plain values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class Outlet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An outlet: its name, owner (`publisher`), country, and hosts, which include all their subdomains.

    `speaks_for` is set on official sites: the state or body whose office the site belongs to.
    """

    id: str
    name: str
    publisher: str
    country: str
    kind: str
    hosts: tuple[str, ...]
    official: bool = False
    speaks_for: str = ""
    feeds: tuple[OutletFeed, ...] = ()


class _OutletsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    outlets: tuple[Outlet, ...]


@cache
def outlets() -> tuple[Outlet, ...]:
    """Return the bundled outlets. Raises DataFileError when the file is not valid."""
    return _valid(read_data_file(_FILE, _OutletsFile).outlets)


def _valid(found: tuple[Outlet, ...]) -> tuple[Outlet, ...]:
    ids: set[str] = set()
    hosts: set[str] = set()
    for outlet in found:
        if outlet.id in ids:
            raise DataFileError(FILE, outlet.id, "another outlet has the same id")
        ids.add(outlet.id)
        for host in outlet.hosts:
            if host in hosts or host != host.lower() or "." not in host:
                raise DataFileError(FILE, outlet.id, f"host {host!r} must be new, lower case and have a dot")
            hosts.add(host)
        if outlet.speaks_for and not outlet.official:
            raise DataFileError(FILE, outlet.id, "speaks_for is for official sites")
    return found


def outlet_of(url: str) -> Outlet | None:
    """Return the bundled outlet that the host of `url` belongs to, or None."""
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return None
    by_host = _by_host()
    while host:
        if outlet := by_host.get(host):
            return outlet
        host = host.partition(".")[2]
    return None


@cache
def _by_host() -> Mapping[str, Outlet]:
    return {host: outlet for outlet in outlets() for host in outlet.hosts}


def known_of(url: str) -> dict[str, Any]:
    """Return outlet, publisher, country and so on of the host of `url`, as options of a subscription; {} if unknown."""
    outlet = outlet_of(url)
    return whose(outlet) if outlet is not None else {}


def whose(outlet: Outlet) -> dict[str, Any]:
    """Return the options of a subscription that an outlet decides: outlet, publisher, country and so on."""
    return {
        "outlet": outlet.name,
        "publisher": outlet.publisher,
        "country": outlet.country,
        "kind": outlet.kind,
        "official": outlet.official,
        "speaks_for": outlet.speaks_for,
    }

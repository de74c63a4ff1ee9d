"""One subscribed feed: its URL, its outlet, and how it is polled.

Subscriptions are written to the topic `summitry.feeds`, so they never hold a password. Credentials are references to a
file or an environment variable, which the poller reads; a URL with `user:password@` is refused.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from monitor.errors import FeedError
from monitor.feeds.subscriptions.host_groups import host_group
from monitor.records import Record

Identity = Literal["", "guid", "link", "link+title"]
FilterField = Literal["title", "url", "content", "author", "tag"]

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e\t]*")
#: Headers that the poller sets itself.
_RESERVED = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "range",
                       "if-none-match", "if-modified-since"})  # fmt: skip
_MAX_PATTERN = 500


class SecretRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a secret is stored: the path of a `file`, or the name of an `env`ironment variable."""

    file: str = ""
    env: str = ""

    def __post_init__(self) -> None:
        if bool(self.file) == bool(self.env):
            raise ValueError("a secret is either {file: PATH} or {env: NAME}")

    def read(self) -> str:
        """Return the secret. Raises FeedError (reason `secret_missing`) when the file or variable can't be read."""
        try:
            value = Path(self.file).read_text(encoding="utf-8") if self.file else os.environ[self.env]
        except (OSError, KeyError, UnicodeError) as error:
            where = f"file {self.file}" if self.file else f"environment variable {self.env}"
            raise FeedError(f"the secret in {where} can't be read", reason="secret_missing") from error
        return value.strip("\r\n")


class Auth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """HTTP credentials of a feed: `user` and `password` (Basic, RFC 7617), or `bearer` (RFC 6750)."""

    user: str = ""
    password: SecretRef | None = None
    bearer: SecretRef | None = None

    def __post_init__(self) -> None:
        if (self.bearer is None) == (self.password is None):
            raise ValueError("auth needs either user and password, or bearer")


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry matches when the regular expression `match` is found in `field`, ignoring case."""

    field: FilterField
    match: str

    def __post_init__(self) -> None:
        _check_pattern("match", self.match)


class Rewrite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Replaces each match of the regular expression `match` in an entry's link by `to`."""

    match: str
    to: str

    def __post_init__(self) -> None:
        _check_pattern("match", self.match)


class Subscription(Record, frozen=True, kw_only=True):
    """One feed and all of its options. Times ending in `_s` are seconds.

    `outlet` is the name readers know, `publisher` its owner, `speaks_for` the state whose office an official source is.
    `site` is the web page that the feed belongs to. An `important` feed has its own alert rule.

    `interval_s` fixes the poll interval; `interval_min_s` and `interval_max_s` bound it. 0 means the default. Feeds of
    one `host_group` (default: the registrable domain of the URL) get one request at a time. After `alert_after` errors
    in a row the feed is shown as failing; after `disable_after` of them it is polled only once a week.

    `keep` publishes only matching entries, `block` drops matching entries, and `max_age_days` drops entries older than
    that. `full_text` is "" (as configured), "off", "auto", or a CSS selector of the article's text.
    """

    id: str
    url: str
    enabled: bool = True
    title: str = ""
    outlet: str = ""
    publisher: str = ""
    language: str = ""
    country: str = ""
    official: bool = False
    speaks_for: str = ""
    kind: str = ""
    categories: tuple[str, ...] = ()
    timezone: str = ""
    weight: float = 1.0
    important: bool = False
    site: str = ""
    notes: str = ""

    interval_s: int = 0
    interval_min_s: int = 0
    interval_max_s: int = 0
    ignore_server_hints: bool = False
    hint_max_s: int = 0
    host_group: str = ""
    websub: bool = False
    alert_after: int = 3
    disable_after: int = 0

    user_agent: str = ""
    accept: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    cookie: SecretRef | None = None
    auth: Auth | None = None
    proxy: str = ""
    timeout_s: float = 0.0
    max_body: int = 0
    tls_verify: bool = True
    ignore_http_cache: bool = False
    allow_private_network: bool = False
    ports: tuple[int, ...] = ()
    respect_robots: bool = False

    identity: Identity = ""
    guid_strip_regex: str = ""
    ignore_updates: bool = False
    url_rewrite: tuple[Rewrite, ...] = ()
    keep: tuple[Filter, ...] = ()
    block: tuple[Filter, ...] = ()
    max_age_days: int = 0
    full_text: str = ""

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"id {self.id[:100]!r} must be letters, digits and . _ : -, at most 100 of them")
        _check_url("url", self.url)
        for name in ("proxy", "site"):
            if value := getattr(self, name):
                _check_url(name, value)
        # Servers in a private network belong to the user and may be polled every second, others every two minutes.
        shortest = 1 if self.allow_private_network else 120
        for name in ("interval_s", "interval_min_s", "interval_max_s"):
            value = getattr(self, name)
            if value and not shortest <= value <= 7 * 86400:
                raise ValueError(f"{name} must be 0 (default) or {shortest} seconds to 7 days, not {value}")
        if self.interval_max_s and self.interval_min_s > self.interval_max_s:
            raise ValueError("interval_min_s is more than interval_max_s")
        for name in ("hint_max_s", "timeout_s", "max_body", "max_age_days", "alert_after", "disable_after"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must not be negative")
        _check_headers(self.headers, user_agent=self.user_agent, accept=self.accept)
        if any(not 1 <= port <= 65535 for port in self.ports):
            raise ValueError("ports must be 1 to 65535")
        _check_pattern("guid_strip_regex", self.guid_strip_regex)

    @property
    def group(self) -> str:
        """The host group: feeds of one group are polled one at a time and paused together."""
        return self.host_group or host_group(self.url)

    @property
    def request_hash(self) -> str:
        """A hash of the options that change the request. When it changes, stored ETags are no longer valid."""
        parts = (self.url, self.user_agent, self.accept, self.headers, self.cookie, self.auth, self.proxy)
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:16]


def _check_url(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{name} is not an address: {error}") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{name} must begin with http:// or https:// and name a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{name} holds credentials: put them under `auth`, as {{file: PATH}} or {{env: NAME}}")
    if port == 0 or any(ord(c) <= 0x20 or ord(c) == 0x7F for c in url):
        raise ValueError(f"{name} has a port or characters that an address can't have")


def _check_headers(headers: Mapping[str, str], **own: str) -> None:
    for header, value in headers.items():
        if not _HEADER.fullmatch(header) or header.lower() in _RESERVED:
            raise ValueError(f"headers: {header!r} can't be set")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"headers: the value of {header} has characters that a header can't hold")
    for name, value in own.items():
        if not _VALUE.fullmatch(value):
            raise ValueError(f"{name} has characters that a header can't hold")


def _check_pattern(name: str, pattern: str) -> None:
    if len(pattern) > _MAX_PATTERN:
        raise ValueError(f"{name} is longer than {_MAX_PATTERN} characters")
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{name} is not a regular expression: {error}") from error

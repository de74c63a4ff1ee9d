"""Find out who sends a request and what they may do, and check that a form comes from one of the board's pages.

A reader is known by a header that a trusted proxy sets, by a password (then by a session cookie), or by an API token.
If none of these is configured, everybody who can reach the board may use it; by default that is this machine only. Such
an open board checks the `Host` header, so that another site can't reach it through a domain name of its own (DNS
rebinding).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from aiohttp import web
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from monitor.config import BoardSettings
from monitor.errors import ConfigError
from monitor.notify.harmless import clean

SESSION_COOKIE, CSRF_COOKIE, NAME_COOKIE = "summitry_session", "summitry_csrf", "summitry_name"
SESSION_SECONDS = 12 * 3600
#: A wrong password is answered after this many seconds.
WRONG_PAUSE = 1.0
#: The hash that is verified when there is no user of this name: the answer takes as long as for a user that exists, so
#: nobody can find out names by measuring the time.
_NOBODY = PasswordHasher().hash(secrets.token_hex())


class ApiToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One API token: the name of its owner, its SHA-256 in hexadecimal, and its scopes."""

    name: str
    sha256: str
    scopes: tuple[str, ...] = ("read",)


class TokenFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of the file `board.tokens`."""

    tokens: tuple[ApiToken, ...]


#: All scopes: `read`, and `act` for acknowledging, silencing and giving feedback.
SCOPES = frozenset({"read", "act"})


@dataclass(frozen=True)
class BoardReader:
    """Who sent a request. `name` is empty on an open board.

    `kind` says how the reader is known: `open` (anonymous), `proxy`, `session` or `token`.
    """

    name: str
    scopes: frozenset[str]
    kind: str


def read_passwords(path: Path) -> dict[str, str]:
    """Return the names and argon2 hashes of a password file. Raises ConfigError."""
    found: dict[str, str] = {}
    for number, line in enumerate(_text(path, "board.passwords").splitlines(), 1):
        name, colon, hashed = line.strip().partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not (name and colon and hashed.startswith("$argon2")):
            problem = f"line {number} is not of the form NAME:ARGON2_HASH"
            raise ConfigError(str(path), "board.passwords", problem, "make it with `summitry board --password NAME`")
        found[name] = hashed
    return found


def read_tokens(path: Path) -> dict[str, ApiToken]:
    """Return the tokens of a token file by their SHA-256. Raises ConfigError."""
    try:
        tokens = msgspec.yaml.decode(_text(path, "board.tokens"), type=TokenFile).tokens
    except msgspec.DecodeError as error:
        raise ConfigError(str(path), "board.tokens", str(error), "see docs/api.md") from error
    for token in tokens:
        if unknown := set(token.scopes) - SCOPES:
            raise ConfigError(str(path), "board.tokens", f"unknown scope {min(unknown)!r}", "use read and act")
        if len(token.sha256) != 64 or set(token.sha256) - set("0123456789abcdef"):
            problem = f"{token.name}: sha256 must be 64 hexadecimal digits in lower case"
            raise ConfigError(str(path), "board.tokens", problem, "see docs/api.md")
    return {token.sha256: token for token in tokens}


def _text(path: Path, key: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise ConfigError(str(path), key, f"can't be read: {error}") from error


def password_line(name: str, password: str) -> str:
    """Return the line of the password file for a user; it holds the password's argon2 hash."""
    return f"{name}:{PasswordHasher().hash(password)}"


@dataclass
class Access:
    """Decides who a request is from. `secret` signs session cookies and forms."""

    settings: BoardSettings
    secret: bytes
    passwords: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, ApiToken] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._proxies = [ipaddress.ip_network(network) for network in self.settings.trusted_proxies]
        self._checking = asyncio.Semaphore(2)
        self._hosts = {urlsplit(self.settings.url).hostname, self.settings.host}

    @classmethod
    def of(cls, settings: BoardSettings, secret: bytes) -> Access:
        """Return the access that the configuration describes, with its files read. Raises ConfigError."""
        try:
            return cls(
                settings,
                secret,
                read_passwords(settings.passwords) if settings.passwords else {},
                read_tokens(settings.tokens) if settings.tokens else {},
            )
        except ValueError as error:
            raise ConfigError("board", "trusted_proxies", str(error), "write a network such as 10.0.0.0/8") from error

    @property
    def closed(self) -> bool:
        """Whether pages need a login."""
        return bool(self.settings.user_header or self.settings.passwords)

    def host_allowed(self, request: web.Request) -> bool:
        """Tell whether the `Host` header is one that this board answers to.

        A board with a login answers to any name. An open board answers to IP addresses, to names without a dot (a
        service within a network) and to the names in its configuration: a foreign site's name has a dot.
        """
        host = urlsplit(f"//{request.host}").hostname or ""
        return self.closed or "." not in host or _is_address(host) or host in self._hosts

    def reader(self, request: web.Request) -> BoardReader | None:
        """Return who sent a request; None if this request needs a login or a token and has no valid one."""
        if token := self._token(request):
            known = self.tokens.get(hashlib.sha256(token.encode()).hexdigest())
            return BoardReader(known.name, frozenset(known.scopes), "token") if known else None
        if self.settings.user_header and self._from_proxy(request):
            name = clean(request.headers.get(self.settings.user_header, ""), 80)
            if name:
                return BoardReader(name, SCOPES, "proxy")
        if self.passwords and (name := self._session(request)):
            return BoardReader(name, SCOPES, "session")
        if self.closed or (self.tokens and request.path.startswith("/api/") and not _own_page(request)):
            return None
        return BoardReader("", SCOPES, "open")

    def _token(self, request: web.Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        # Feed readers and calendars can't send headers.
        return request.query.get("token", "") if request.path in TOKEN_IN_ADDRESS else ""

    def _from_proxy(self, request: web.Request) -> bool:
        try:
            peer = ipaddress.ip_address(request.remote or "")
        except ValueError:
            return False
        return any(peer in network for network in self._proxies)

    async def login(self, name: str, password: str) -> bool:
        """Tell whether the password is right. The answer to a wrong one is delayed by `WRONG_PAUSE`."""
        hashed = self.passwords.get(name, "")
        async with self._checking:
            good = await asyncio.to_thread(_verify, hashed or _NOBODY, password)
        if good and hashed:
            return True
        await asyncio.sleep(WRONG_PAUSE)
        return False

    def new_session(self, name: str) -> str:
        """Return the session cookie's value."""
        expires = str(int(time.time()) + SESSION_SECONDS)
        encoded = name.encode().hex()
        # The password's hash is part of the signature, so a new password ends old sessions.
        return f"{encoded}.{expires}.{self._sign('session', encoded, expires, self.passwords.get(name, ''))}"

    def _session(self, request: web.Request) -> str:
        encoded, _, rest = request.cookies.get(SESSION_COOKIE, "").partition(".")
        expires, _, signature = rest.partition(".")
        try:
            name = bytes.fromhex(encoded).decode()
            fresh = int(expires) > time.time()
        except ValueError:
            return ""
        good = hmac.compare_digest(signature, self._sign("session", encoded, expires, self.passwords.get(name, "")))
        return name if good and fresh and name in self.passwords else ""

    def form_token(self, cookie: str) -> str:
        """Return the token that a form must contain if the browser has this cookie (against CSRF)."""
        return self._sign("form", cookie)

    def form_is_ours(self, request: web.Request, token: str) -> bool:
        """Tell whether a form comes from one of the board's pages and was made for this browser."""
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = request.headers.get("Origin", "")
        if site not in {"same-origin", "none"} or (origin and urlsplit(origin).netloc != request.host):
            return False
        cookie = request.cookies.get(CSRF_COOKIE, "")
        return bool(cookie) and hmac.compare_digest(token.encode(), self.form_token(cookie).encode())

    def _sign(self, *parts: str) -> str:
        return hmac.new(self.secret, "|".join(parts).encode(), hashlib.sha256).hexdigest()


#: Addresses that take a token as `?token=`.
TOKEN_IN_ADDRESS = frozenset({"/events.atom", "/events.json", "/planned.ics"})


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _own_page(request: web.Request) -> bool:
    return request.headers.get("Sec-Fetch-Site") == "same-origin"


def _verify(hashed: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(hashed, password)
    except (Argon2Error, InvalidHashError):
        return False


class Limiter:
    """Limits each client to `rate` requests per second; up to `2 * rate` may come at once (a token bucket).

    A rate of 0 means no limit.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, client: str, now: float) -> float:
        """Count a request; return 0 if it is allowed, otherwise the seconds after which the client may try again."""
        if not self._rate:
            return 0.0
        most = 2.0 * self._rate
        left, at = self._left.get(client, (most, now))
        left = min(most, left + (now - at) * self._rate)
        if left < 1.0:
            return (1.0 - left) / self._rate
        if len(self._left) > 10_000:
            self._left = {name: (n, t) for name, (n, t) in self._left.items() if now - t < 10.0}
        self._left[client] = (left - 1.0, now)
        return 0.0

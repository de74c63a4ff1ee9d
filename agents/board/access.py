"""Who is asking, and what they may do: a proxy's header, a password, or a token; and that a form is the board's own.

Without any of these set up the board is open to whoever reaches it, which by default is this machine only. Then the
`Host` header must name this machine or the board's own address, so that another site can't reach it through a name of
its own (DNS rebinding).
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
#: Verified instead of a missing user's hash, so that names can't be told from the time an answer takes.
_NOBODY = PasswordHasher().hash(secrets.token_hex())


class ApiToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One API token: its SHA-256 in hexadecimal, whose it is, and what it may do."""

    name: str
    sha256: str
    scopes: tuple[str, ...] = ("read",)


class TokenFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file of tokens."""

    tokens: tuple[ApiToken, ...]


#: Everything that may be done: `read`, and `act` for acknowledging, silencing and giving feedback.
SCOPES = frozenset({"read", "act"})


@dataclass(frozen=True)
class BoardReader:
    """Who is asking. `name` is empty on an open board; `kind` says how we know: open, proxy, session or token."""

    name: str
    scopes: frozenset[str]
    kind: str


def read_passwords(path: Path) -> dict[str, str]:
    """Names and argon2 hashes of a password file. Raises ConfigError."""
    found: dict[str, str] = {}
    for number, line in enumerate(_text(path, "board.passwords").splitlines(), 1):
        name, colon, hashed = line.strip().partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not (name and colon and hashed.startswith("$argon2")):
            problem = f"line {number} is no name and argon2 hash"
            raise ConfigError(str(path), "board.passwords", problem, "make it with `summitry board --password NAME`")
        found[name] = hashed
    return found


def read_tokens(path: Path) -> dict[str, ApiToken]:
    """Tokens by their SHA-256. Raises ConfigError."""
    try:
        tokens = msgspec.yaml.decode(_text(path, "board.tokens"), type=TokenFile).tokens
    except msgspec.DecodeError as error:
        raise ConfigError(str(path), "board.tokens", str(error), "see docs/api.md") from error
    for token in tokens:
        if unknown := set(token.scopes) - SCOPES:
            raise ConfigError(str(path), "board.tokens", f"unknown scope {min(unknown)!r}", "use read and act")
        if len(token.sha256) != 64 or set(token.sha256) - set("0123456789abcdef"):
            raise ConfigError(str(path), "board.tokens", f"{token.name}: sha256 is no SHA-256", "see docs/api.md")
    return {token.sha256: token for token in tokens}


def _text(path: Path, key: str) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeError) as error:
        raise ConfigError(str(path), key, f"can't be read: {error}") from error


def password_line(name: str, password: str) -> str:
    """Return a line of the password file."""
    return f"{name}:{PasswordHasher().hash(password)}"


@dataclass
class Access:
    """Decides who a request is from. `secret` signs sessions and forms."""

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
        """Return what the configuration asks for. Raises ConfigError."""
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
        """Say whether the `Host` header may name this board.

        On a board with a login any name may. Else an address, a name without dots (a service within a network), and the
        board's own: another site's name has a dot.
        """
        host = urlsplit(f"//{request.host}").hostname or ""
        return self.closed or "." not in host or _is_address(host) or host in self._hosts

    def reader(self, request: web.Request) -> BoardReader | None:
        """Return who asks; None when that must be known first."""
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
        """Say whether the password is right. A wrong one takes a second."""
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
        # A new password ends old sessions.
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
        """Return what a form must carry when the browser has this cookie."""
        return self._sign("form", cookie)

    def form_is_ours(self, request: web.Request, token: str) -> bool:
        """Say whether a form was made by one of our pages for this browser, and is sent from one."""
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
    """Requests a second for each client, with room for two seconds' worth at once (a token bucket)."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, client: str, now: float) -> float:
        """Count one request; the seconds until the next one is welcome, 0 when this one is."""
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

"""Get the bearer token with which a Kafka client logs in (SASL OAUTHBEARER, RFC 7628).

The token comes from a file (`FileTokens`) or from an authorization server (`GrantedTokens`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
from aiokafka.abc import AbstractTokenProvider

from monitor.errors import BrokerError

_TIMEOUT_S = 10.0
#: A new token is requested once this share of the old one's lifetime has passed.
_USED_UP = 0.8


class FileTokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """Reads the token from a file at each login, so that a program which renews the file also renews the login."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def token(self) -> str:
        """Return the token. Raises BrokerError when the file is missing or empty."""
        try:
            text = (await asyncio.to_thread(self._path.read_text)).strip()
        except OSError as error:
            raise BrokerError(f"the broker's token can't be read: {error}", reason="no_token") from error
        if not text:
            raise BrokerError(f"the broker's token file {self._path} is empty", reason="no_token")
        return text


class _Granted(msgspec.Struct):
    """What an authorization server answers (RFC 6749, 5.1)."""

    access_token: str
    expires_in: float = 0.0


class GrantedTokens(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """Requests a token from an authorization server with the client credentials grant (RFC 6749, 4.4).

    A token is used again until 80 % of its lifetime has passed. `now` returns the seconds of a monotonic clock.
    """

    def __init__(
        self,
        url: str,
        client: str,
        secret: str,
        scope: str = "",
        *,
        cafile: str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._login, self._now = url, httpx.BasicAuth(client, secret), now
        self._form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
        self._verify = httpx.create_ssl_context(cafile) if cafile else True
        self._token, self._good_until = "", 0.0
        self._asking = asyncio.Lock()

    async def token(self) -> str:
        """Return a token that has not expired. Raises BrokerError when the server grants none."""
        async with self._asking:
            if not self._token or self._now() >= self._good_until:
                granted = await self._ask()
                self._token, self._good_until = granted.access_token, self._now() + granted.expires_in * _USED_UP
            return self._token

    async def _ask(self) -> _Granted:
        try:
            async with httpx.AsyncClient(verify=self._verify, timeout=_TIMEOUT_S, trust_env=False) as client:
                answer = await client.post(self._url, data=self._form, auth=self._login)
            answer.raise_for_status()
            return msgspec.json.decode(answer.content, type=_Granted)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            problem = f"no token for the broker from {self._url}: {str(error) or type(error).__name__}"
            raise BrokerError(problem, reason="no_token") from error

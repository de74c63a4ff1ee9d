"""Post to the URL of a webhook: only to checked addresses, without redirects, with errors that never show the URL."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from monitor.errors import DeliveryError, HttpError
from monitor.http.addresses import AddressBook, parse_networks
from monitor.http.transport import CheckedTransport, system_trust
from monitor.notify.receivers.base import GoneError, UncertainError

#: The longest Retry-After that is obeyed, in seconds.
MAX_RETRY_AFTER = 86400.0
#: Failures that happen before the request is sent.
_NEVER_SENT = frozenset({"dns", "dns_timeout", "address_refused", "connect", "connect_timeout", "tls", "bad_request"})


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks to wait (RFC 9110, 10.2.3); None when missing or invalid."""
    value = headers.get("retry-after", headers.get("Retry-After", "")).strip()
    if not value:
        return None
    if value.isascii() and value.isdecimal():
        return min(float(value), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()), MAX_RETRY_AFTER)


def refused(status: int, wait: float | None) -> DeliveryError:
    """Return the error for an answer that is not 2xx. All but 410 are retried.

    A server that answers 5xx may have processed the request before it failed, and a proxy in front of it does not know
    (RFC 9110, 15.6). So the message is in doubt. Any other answer is a refusal.
    """
    if status == 410:
        return GoneError("410 Gone")
    if status == 429:
        return DeliveryError("429 Too Many Requests", reason="rate_limited", retry_after=wait)
    if status >= 500:
        return UncertainError(f"HTTP {status}", reason="server", retry_after=wait)
    reason = {3: "redirect", 4: "refused"}.get(status // 100, "answer")
    return DeliveryError(f"HTTP {status}", reason=reason, retry_after=wait)


class WebhookClient:
    """Posts to one URL. Its IP addresses are checked each time, and the connection goes to a checked address."""

    def __init__(self, url: str, allow_private_networks: Iterable[str], timeout: float) -> None:
        self._url = url
        self._timeout = timeout
        self._book = AddressBook(parse_networks(allow_private_networks))
        transport = CheckedTransport(self._book, system_trust())
        self._client = httpx.AsyncClient(transport=transport, follow_redirects=False, trust_env=False, timeout=timeout)

    async def post(self, content: bytes, headers: Mapping[str, str]) -> None:
        """Post once. Only the status of the answer is read, not its body.

        Raises DeliveryError, or UncertainError when the request may have arrived although there was no answer.
        """
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._client.stream("POST", self._url, content=content, headers=dict(headers)) as answer,
            ):
                status, wait = answer.status_code, retry_after(answer.headers)
        except TimeoutError as error:
            raise UncertainError("no answer in time", reason="timeout") from error
        except HttpError as error:
            if error.reason in _NEVER_SENT:
                why = f": {error}" if error.reason == "tls" else ""  # other messages may contain the URL's host
                raise DeliveryError(f"no connection{why}", reason=error.reason) from error
            raise UncertainError(f"no answer: {error.reason}") from error
        except (httpx.HTTPError, OSError) as error:
            raise UncertainError(f"no answer: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise refused(status, wait)

    async def close(self) -> None:
        """Close the client and stop lookups."""
        await self._client.aclose()
        self._book.close()

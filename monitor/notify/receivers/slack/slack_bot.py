"""Post alerts to Slack with a bot token: one message for each event, which is edited, with replies for loud updates.

Each message has metadata with its id, so a message in doubt is looked up before it is posted again
(https://docs.slack.dev/messaging/message-metadata). At most one message a second is posted to a channel, and
Retry-After is obeyed (https://docs.slack.dev/apis/web-api/rate-limits).
"""

from __future__ import annotations

import logging
from typing import Any, TypeVar

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from monitor.config import SlackBotReceiver
from monitor.errors import DeliveryError
from monitor.http.transport import CONNECT_TIMEOUT_S, system_trust
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message
from monitor.notify.receivers.base import ABSENT, UNKNOWN, Lookup, Traits, UncertainError
from monitor.notify.receivers.slack import slack_blocks
from monitor.notify.receivers.webhook_client import retry_after

T = TypeVar("T")
logger = structlog.get_logger()

EVENT_TYPE = "summitry_alert"
#: Seconds between two posts to one channel.
PACE = 1.0
#: History is searched from this many seconds before the decision, since Slack's clock may differ from ours.
_CLOCK_SKEW = 600.0
#: The most pages of 200 messages that are searched.
_PAGES = 20
#: The most bytes of an answer: 200 messages of the largest size.
_LONGEST_ANSWER = 16 * 1024 * 1024
#: Errors for which the message is sent again as text only, without blocks.
_BAD_BLOCKS = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
#: Errors after which the message may have been posted; Slack's documentation: "It's possible some aspect of the
#: operation succeeded before the error was raised."
_UNSURE = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_NOT_THERE = frozenset({"message_not_found", "thread_not_found"})
_NOT_EDITABLE = frozenset({"cant_update_message", "edit_window_closed", "is_inactive"})
_AUTH = frozenset({
    "not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "no_permission",
    "missing_scope", "ekm_access_denied",
})  # fmt: skip
_CHANNEL = frozenset({"channel_not_found", "not_in_channel", "is_archived", "restricted_action"})

# slack_sdk logs request bodies at DEBUG level.
logging.getLogger("slack_sdk").setLevel(logging.WARNING)


class SlackBot:
    """Posts to one channel."""

    def __init__(self, config: SlackBotReceiver, *, pace: float = PACE) -> None:
        self.traits = Traits(edits=True, timeout=config.timeout.total_seconds(), settle=5.0, pace=pace)
        self._config = config
        self._session: aiohttp.ClientSession | None = None
        self._client: AsyncWebClient | None = None

    def _api(self) -> AsyncWebClient:
        if self._client is None:
            self._session = _session(self._config.timeout.total_seconds())
            self._client = AsyncWebClient(
                token=self._config.token.reveal(),
                base_url=self._config.api_url,
                session=self._session,
                retry_handlers=[],  # the default posts again after a broken connection, although it may have arrived
            )
        return self._client

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Post the first message, or edit it and reply."""
        if head is None or message.event is None:
            return await self._first(message)
        if "batch" not in head and not await self._edit(message, head):
            return await self._first(message)  # somebody deleted the first message
        if message.notifies:
            await self._post(
                message, slack_blocks.update(message), slack_blocks.fallback(message, prefixed=True),
                channel=head["channel"], thread_ts=head["ts"], reply_broadcast=message.tell == "retract",
            )  # fmt: skip
        return head

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Search for the message in the channel's history, or among the replies of its thread."""
        if head is not None and not message.notifies:
            return UNKNOWN  # repeating an edit does no harm
        oldest = str(max(0.0, message.at.timestamp() - _CLOCK_SKEW))
        cursor = ""
        for _ in range(_PAGES):
            options: dict[str, Any] = {
                "channel": (head or {}).get("channel", self._config.channel),
                "include_all_metadata": True, "limit": 200, "oldest": oldest, "cursor": cursor or None,
            }  # fmt: skip
            try:
                if head is None:
                    answer = await self._call("conversations.history", **options)
                else:
                    answer = await self._call("conversations.replies", ts=head["ts"], **options)
            except DeliveryError as error:
                if isinstance(error, _SlackRefusedError) and error.code in _NOT_THERE:
                    return ABSENT
                if error.reason != "auth":
                    raise
                # Without the history scope we can't know. A repeated alert is better than a lost one.
                logger.warning("slack_history_unreadable", error=str(error))
                return UNKNOWN
            for posted in _part(answer, "messages", list):
                payload = (posted.get("metadata") or {}).get("event_payload") or {}
                if payload.get("message") == message.id:
                    return Lookup("there", head or self._handle(options["channel"], posted["ts"], message))
            cursor = (answer.get("response_metadata") or {}).get("next_cursor", "")
            if not cursor:
                return ABSENT
        return UNKNOWN  # the channel has too many newer messages to read them all

    async def close(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()

    @staticmethod
    def _handle(channel: str, ts: str, message: Message) -> Handle:
        return {"channel": channel, "ts": ts, "id": message.id}

    async def _first(self, message: Message) -> Handle:
        answer = await self._post(message, slack_blocks.alert(message), slack_blocks.fallback(message))
        return self._handle(_part(answer, "channel", str), _part(answer, "ts", str), message)

    async def _post(
        self, message: Message, blocks: list[slack_blocks.Block], text: str, channel: str = "", **thread: object
    ) -> dict[str, Any]:
        return await self._send(
            "chat.postMessage", message.id, message, blocks, text, channel=channel or self._config.channel,
            unfurl_links=False, unfurl_media=False, **thread,
        )  # fmt: skip

    async def _edit(self, message: Message, head: Handle) -> bool:
        """Edit the first message. Returns False when it was deleted."""
        try:
            await self._send(
                "chat.update", head.get("id", message.id), message, slack_blocks.alert(message),
                slack_blocks.fallback(message), channel=head["channel"], ts=head["ts"],
            )  # fmt: skip
        except _SlackRefusedError as error:
            if error.code in _NOT_THERE:
                return False
            if error.code not in _NOT_EDITABLE:
                raise
        return True

    async def _send(
        self, method: str, identity: str, message: Message, blocks: list[slack_blocks.Block], text: str,
        **options: object,
    ) -> dict[str, Any]:  # fmt: skip
        event = message.event
        payload = {"message": identity}
        if event:
            payload |= {"event_id": event.event_id, "revision": str(event.revision)}
        options = {**options, "text": text, "metadata": {"event_type": EVENT_TYPE, "event_payload": payload}}
        try:
            return await self._call(method, blocks=blocks, **options)
        except _SlackRefusedError as error:
            if error.code not in _BAD_BLOCKS:
                raise
            logger.warning("slack_blocks_refused", code=error.code, delivery_id=identity)
            return await self._call(method, **options)

    async def _call(self, method: str, **options: object) -> dict[str, Any]:
        body = {name: value for name, value in options.items() if value is not None}
        try:
            if method.startswith("conversations."):
                params = {k: str(v).lower() if isinstance(v, bool) else v for k, v in body.items()}
                answer = await self._api().api_call(method, http_verb="GET", params=params)
            else:
                answer = await self._api().api_call(method, json=body)
        except SlackApiError as error:
            raise _problem(error) from None
        except DeliveryError:
            raise
        except aiohttp.ClientConnectorCertificateError as error:
            raise DeliveryError(f"no connection: TLS: {error.certificate_error}"[:200], reason="tls") from error
        except aiohttp.ClientConnectorSSLError as error:
            raise DeliveryError(f"no connection: TLS: {error.os_error}"[:200], reason="tls") from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise DeliveryError("no connection", reason="connect") from error
        except TimeoutError as error:
            raise UncertainError("no answer in time", reason="timeout") from error
        except (aiohttp.ClientError, SlackClientError, OSError, ValueError, RecursionError) as error:
            raise UncertainError(f"no answer: {type(error).__name__}") from error
        data = answer.data
        if not isinstance(data, dict):
            raise UncertainError("the answer is not JSON")
        return data


def _part(answer: dict[str, Any], name: str, kind: type[T]) -> T:
    """Return a field that Slack's answer must have. Raises UncertainError when it is missing: then it was not Slack."""
    value = answer.get(name)
    if not isinstance(value, kind):
        raise UncertainError(f"the answer has no {name}")
    return value


class _BoundedAnswer(aiohttp.ClientResponse):
    """A response of which at most _LONGEST_ANSWER bytes are read."""

    async def read(self) -> bytes:
        """Read the body. Raises ClientPayloadError when it is too long."""
        body = bytearray()
        async for part in self.content.iter_any():
            body += part
            if len(body) > _LONGEST_ANSWER:
                self.close()
                raise aiohttp.ClientPayloadError("the answer is too long")
        self._body = bytes(body)
        return self._body


async def _refuse_redirect(*_: object) -> None:
    raise DeliveryError("Slack's API answers with a redirect, which is not followed", reason="redirect")


def _session(timeout: float) -> aiohttp.ClientSession:
    """Make a session with limits of time and size, and without redirects, in case the server is hostile."""
    redirects = aiohttp.TraceConfig()
    redirects.on_request_redirect.append(_refuse_redirect)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=system_trust()),
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=timeout, connect=min(timeout, CONNECT_TIMEOUT_S)),
        response_class=_BoundedAnswer,
        auto_decompress=False,
        headers={"Accept-Encoding": "identity"},
        trace_configs=[redirects],
    )


class _SlackRefusedError(DeliveryError):
    """Slack refused the message; `code` is Slack's name for the error."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"Slack answers {code}", reason=reason)
        self.code = code


def _problem(error: SlackApiError) -> DeliveryError:
    response = error.response
    status = getattr(response, "status_code", 0)
    data = getattr(response, "data", None)
    code = str(data.get("error", ""))[:60] if isinstance(data, dict) else ""
    if status == 429 or code in {"ratelimited", "rate_limited"}:
        wait = retry_after(dict(getattr(response, "headers", {}) or {}))
        return DeliveryError("Slack's rate limit", reason="rate_limited", retry_after=wait or PACE)
    if status >= 500 or not code or code in _UNSURE:
        return UncertainError(f"Slack answers {status} {code}".rstrip(), reason="server")
    reason = "auth" if code in _AUTH else "channel" if code in _CHANNEL else "refused"
    return _SlackRefusedError(code, reason)

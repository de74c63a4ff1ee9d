"""A local Slack that behaves like the real one wherever an alert tool can notice.

Limits of blocks and texts, one message a second and channel with a small burst, 429 with Retry-After, metadata in the
history, edits, threads, `msg_blocks_too_long`, slow answers, answers lost after the message was made. Its words
are those of https://docs.slack.dev/reference/methods.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.receivers.server import Arrivals, LocalServer, Script, lose_answer

TOKEN = "xoxb-test-token"
CHANNEL = "C0123456789"
_MAX_ALL_BLOCKS = 13_000
#: What Slack turns into a notification for many: it must never stand in a text that came from outside.
_PING = re.compile(r"<!(channel|here|everyone)|<@[UW]|<!subteam")


@dataclass
class Posted:
    ts: str
    channel: str
    text: str
    blocks: list[dict[str, Any]]
    metadata: dict[str, Any] | None
    thread_ts: str | None = None
    broadcast: bool = False
    edits: int = 0
    versions: list[str] = field(default_factory=list)

    def json(self, *, metadata: bool) -> dict[str, Any]:
        shown = {"type": "message", "ts": self.ts, "text": self.text, "blocks": self.blocks}
        if self.thread_ts:
            shown["thread_ts"] = self.thread_ts
        if metadata and self.metadata:
            shown["metadata"] = self.metadata
        return shown

    def visible(self) -> str:
        """All text of the message, as it was sent."""
        return self.text + json.dumps(self.blocks, ensure_ascii=False)

    def pings(self) -> bool:
        """Whether any of its formatted texts notifies a group or a person."""
        return bool(_PING.search(self.text) or any(_PING.search(text) for text in _formatted(self.blocks)))


def _formatted(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["text"]] if node.get("type") == "mrkdwn" else []
        return own + [text for value in node.values() for text in _formatted(value)]
    return [text for item in node for text in _formatted(item)] if isinstance(node, list) else []


class Slack(LocalServer):
    """`faults` of the script: ("slow", seconds), ("lose", None), ("lose_before", None), ("status", 503),
    ("error", code), ("ratelimit", seconds)."""

    def __init__(self, *, burst: int = 3, per_second: float = 1.0) -> None:
        super().__init__()
        self.messages: list[Posted] = []
        self.calls: list[str] = []
        self.script = Script()
        self.arrivals = Arrivals()
        self.limited = 0
        self.history_allowed = True
        self._burst, self._per_second = burst, per_second
        self._tokens: dict[str, tuple[float, float]] = {}
        self._counter = 0

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/"

    @property
    def incoming_url(self) -> str:
        return f"{self.url}/services/T000/B000/secret-part"

    def heads(self) -> list[Posted]:
        return [message for message in self.messages if message.thread_ts is None]

    def replies(self) -> list[Posted]:
        return [message for message in self.messages if message.thread_ts is not None]

    def application(self) -> web.Application:
        application = web.Application(client_max_size=4 * 1024 * 1024)
        application.router.add_route("*", "/api/{method}", self._api)
        application.router.add_post("/services/{rest:.*}", self._incoming)
        return application

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        self.calls.append(method)
        kind, detail = self.script.next()
        if kind == "status":
            return web.Response(status=int(str(detail)), text="upstream error")
        if kind == "error":
            return web.json_response({"ok": False, "error": detail})
        if kind == "ratelimit":
            return _too_many(detail)
        if kind == "lose_before":
            lose_answer(request)
            return web.Response()
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"ok": False, "error": "invalid_auth"})
        data = await self._arguments(request)
        if (request.method == "GET") is not method.startswith("conversations."):
            return web.json_response({"ok": False, "error": "method_not_supported"})
        answer = self._answer(method, data)
        if kind == "slow":
            await asyncio.sleep(float(str(detail)))
        if kind == "lose":
            lose_answer(request)
        return answer

    @staticmethod
    async def _arguments(request: web.Request) -> dict[str, Any]:
        if request.content_type == "application/json":
            return dict(await request.json())
        return {**request.query, **(await request.post())}

    def _answer(self, method: str, data: dict[str, Any]) -> web.Response:
        if data.get("channel") != CHANNEL:
            return web.json_response({"ok": False, "error": "channel_not_found"})
        match method:
            case "chat.postMessage":
                return self._post(data)
            case "chat.update":
                return self._update(data)
            case "conversations.history" | "conversations.replies":
                return self._history(method, data)
        return web.json_response({"ok": False, "error": "unknown_method"})

    def _post(self, data: dict[str, Any]) -> web.Response:
        if problem := _problem(data):
            return web.json_response({"ok": False, "error": problem})
        if not self._admitted(data["channel"]):
            self.limited += 1
            return _too_many(1)
        self._counter += 1
        posted = Posted(
            ts=f"{time.time():.0f}.{self._counter:06d}",
            channel=data["channel"],
            text=data.get("text", ""),
            blocks=data.get("blocks", []),
            metadata=data.get("metadata"),
            thread_ts=data.get("thread_ts"),
            broadcast=bool(data.get("reply_broadcast")),
        )
        self.messages.append(posted)
        self.arrivals.one()
        return web.json_response({"ok": True, "channel": posted.channel, "ts": posted.ts, "message": {}})

    def _update(self, data: dict[str, Any]) -> web.Response:
        if problem := _problem(data):
            return web.json_response({"ok": False, "error": problem})
        for posted in self.messages:
            if posted.ts == data.get("ts"):
                posted.versions.append(posted.text)
                posted.text, posted.blocks = data.get("text", ""), data.get("blocks", [])
                posted.metadata = data.get("metadata", posted.metadata)
                posted.edits += 1
                self.arrivals.one()
                return web.json_response({"ok": True, "channel": posted.channel, "ts": posted.ts})
        return web.json_response({"ok": False, "error": "message_not_found"})

    def _history(self, method: str, data: dict[str, Any]) -> web.Response:
        if not self.history_allowed:
            return web.json_response({"ok": False, "error": "missing_scope", "needed": "channels:history"})
        metadata = str(data.get("include_all_metadata", "")).lower() in {"true", "1"}
        oldest, limit = float(data.get("oldest") or 0), min(int(data.get("limit") or 100), 999)
        if method == "conversations.history":
            found = [m for m in reversed(self.messages) if m.thread_ts is None or m.broadcast]
        else:
            found = [m for m in self.messages if data.get("ts") in {m.ts, m.thread_ts}]
        found = [message for message in found if float(message.ts) > oldest]
        begin = int(data.get("cursor") or 0)
        rest = begin + limit < len(found)
        return web.json_response(
            {
                "ok": True,
                "messages": [message.json(metadata=metadata) for message in found[begin : begin + limit]],
                "has_more": rest,
                "response_metadata": {"next_cursor": str(begin + limit) if rest else ""},
            }
        )

    async def _incoming(self, request: web.Request) -> web.StreamResponse:
        kind, detail = self.script.next()
        if kind == "status":
            return web.Response(status=int(str(detail)), text="no_service")
        data = await request.json()
        if problem := _problem(data):
            return web.Response(status=400, text=problem)
        self._counter += 1
        self.messages.append(
            Posted(
                f"{time.time():.0f}.{self._counter:06d}", CHANNEL, data.get("text", ""), data.get("blocks", []), None
            )
        )
        self.arrivals.one()
        return web.Response(text="ok")

    def _admitted(self, channel: str) -> bool:
        now = time.monotonic()
        tokens, at = self._tokens.get(channel, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - at) * self._per_second)
        self._tokens[channel] = (tokens - 1 if tokens >= 1 else tokens, now)
        return tokens >= 1


def _too_many(seconds: object) -> web.Response:
    return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(seconds)})


def _problem(data: dict[str, Any]) -> str | None:
    blocks = data.get("blocks") or []
    if not data.get("text") and not blocks:
        return "no_text"
    if len(data.get("text", "")) > 40_000:
        return "msg_too_long"
    if len(blocks) > 50 or any(not _block_is_good(block) for block in blocks):
        return "invalid_blocks"
    return "msg_blocks_too_long" if len(json.dumps(blocks, ensure_ascii=False)) > _MAX_ALL_BLOCKS else None


def _block_is_good(block: dict[str, Any]) -> bool:
    match block.get("type"):
        case "header":
            text = block["text"]
            return text["type"] == "plain_text" and 1 <= len(text["text"]) <= 150 and "verbatim" not in text
        case "section":
            fields = block.get("fields", [])
            text = block.get("text")
            return (
                bool(text or fields)
                and (text is None or 1 <= len(text["text"]) <= 3000)
                and len(fields) <= 10
                and all(1 <= len(item["text"]) <= 2000 for item in fields)
            )
        case "context":
            return 1 <= len(block["elements"]) <= 10 and all(item["text"] for item in block["elements"])
        case "divider":
            return True
    return False

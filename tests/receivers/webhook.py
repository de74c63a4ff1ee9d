"""A local webhook endpoint: it stores what it receives, and answers as the test sets it."""

from __future__ import annotations

import asyncio
import json
import ssl
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.receivers.server import Arrivals, LocalServer, Script, lose_answer

SECRET = "whsec_" + "c3VtbWl0cnktdGVzdC1zaWduaW5nLWtleS0wMQ=="
OLD_SECRET = "whsec_" + "c3VtbWl0cnktdGVzdC1zaWduaW5nLWtleS0wMA=="


@dataclass
class Received:
    headers: dict[str, str]
    content: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def body(self) -> dict[str, Any]:
        return dict(json.loads(self.content))

    @property
    def tell(self) -> str:
        return str(self.body["data"].get("tell", "digest"))


class WebhookServer(LocalServer):
    """`faults` of the script: ("status", 500), ("slow", seconds), ("lose", None), ("redirect", url),
    ("retry_after", seconds), ("gone", None). `down` answers every request with 503."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(tls)
        self.received: list[Received] = []
        self.paths: list[str] = []
        self.refused = 0
        self.script = Script()
        self.arrivals = Arrivals()
        self.down = False

    @property
    def hook(self) -> str:
        return f"{self.url}/hook/secret-part"

    def of(self, event_id: str) -> list[Received]:
        return [item for item in self.received if item.body["subject"] == event_id]

    def application(self) -> web.Application:
        application = web.Application(client_max_size=16 * 1024 * 1024)
        application.router.add_route("*", "/{rest:.*}", self._take)
        return application

    async def _take(self, request: web.Request) -> web.StreamResponse:
        kind, detail = self.script.next()
        if self.down or kind == "status":
            self.refused += 1
            return web.Response(status=503 if self.down else int(str(detail)))
        if kind == "redirect":
            return web.Response(status=307, headers={"Location": str(detail)})
        if kind == "retry_after":
            return web.Response(status=429, headers={"Retry-After": str(detail)})
        if kind == "gone":
            return web.Response(status=410)
        content = await request.read()
        self.paths.append(request.path)
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.received.append(Received(headers, content, asyncio.get_running_loop().time()))
        self.arrivals.one()
        if kind == "slow":
            await asyncio.sleep(float(str(detail)))
        if kind == "lose":
            lose_answer(request)
        return web.Response(status=204)

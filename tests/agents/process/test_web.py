"""Test the web server of a process: its pages, headers and limits."""

from __future__ import annotations

import asyncio
import gzip
import logging
import re

import httpx
import pytest
from aiohttp import web

from agents.process import web as pages
from agents.process.logs import set_up_logs
from agents.process.web import form_fields, make_web, serving
from monitor.config import Log


@pytest.mark.parametrize("path", ["/ready", "/metrics", "/nothing-here"])
async def test_pages_have_security_headers_and_tell_no_versions(path: str) -> None:
    async with serving(make_web([]), "127.0.0.1", 0) as port, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"http://127.0.0.1:{port}{path}")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"[Pp]ython|aiohttp|[0-9]", answer.headers["server"])


async def test_debug_logs_show_no_address_that_a_client_library_asks(capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(make_web([]), "127.0.0.1", 0) as port, httpx.AsyncClient(trust_env=False) as client:
        root = logging.getLogger()
        before, level = root.handlers[:], root.level
        set_up_logs(Log(level="debug", format="json"), "test")
        try:
            logging.getLogger("some.library").debug("this is shown")
            await client.get(f"http://127.0.0.1:{port}/services/T0/B0/secret-token")
        finally:
            root.handlers[:] = before
            root.setLevel(level)
    printed = capsys.readouterr().err
    assert "this is shown" in printed
    assert "secret-token" not in printed


FORM = b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nConnection: close\r\n"


def sized(body: bytes, headers: bytes = b"") -> bytes:
    return headers + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.mark.parametrize(
    ("rest", "status"),
    [
        (sized(b"by=Ada+L.&x="), 200),
        (sized(gzip.compress(b"by=Ada"), b"Content-Encoding: gzip\r\n"), 200),
        (sized(b"no gzip", b"Content-Encoding: gzip\r\n"), 400),
        (sized(gzip.compress(b"by=" + b" " * 5_000_000), b"Content-Encoding: gzip\r\n"), 400),
        (sized(b"by=" + b"a" * 9000), 400),
        (sized(b"&".join(b"a%d=1" % n for n in range(99))), 400),
        (sized(b"by=%ff%fe"), 400),
        (sized(b"by=\xff"), 400),
        (b"Transfer-Encoding: chunked\r\n\r\n" + (b"400\r\n" + b"a" * 1024 + b"\r\n") * 20, 400),
        (b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", 400),
        (b"Content-Length: 5000\r\n\r\nby=", 400),
    ],
    ids=[
        "good", "packed", "not-packed", "bomb", "large", "many-fields", "not-utf-8", "not-ascii", "endless",
        "no-chunk", "never-ends",
    ],
)  # fmt: skip
async def test_a_form_that_can_not_be_read_is_a_mistake_of_its_sender(
    rest: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "_FORM_PATIENCE", 0.2)

    async def take(request: web.Request) -> web.Response:
        fields = await form_fields(request)
        return web.Response(status=400) if fields is None else web.json_response(fields)

    async with serving(make_web([], [web.post("/form", take)]), "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(FORM + rest)
        async with asyncio.timeout(5):
            answer = await reader.read(1000)
        writer.close()
    assert int(answer.split()[1]) == status
    assert status == 400 or b"Ada" in answer


@pytest.mark.parametrize("before", [b"", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"], ids=["first", "second"])
async def test_a_head_that_never_ends_holds_no_connection(before: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_HEAD_PATIENCE", 0.3)
    async with serving(make_web([]), "127.0.0.1", 0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(before + b"GET /ready HTTP/1.1\r\nHost: x\r\nX-Drip: ")

        async def drip() -> None:
            while True:
                writer.write(b"a")
                await asyncio.sleep(0.02)

        dripping = asyncio.create_task(drip())
        try:
            async with asyncio.timeout(5):
                answer = await reader.read()
        finally:
            dripping.cancel()
            writer.close()
    assert (b"200 OK" in answer) == bool(before)

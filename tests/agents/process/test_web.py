"""What every page of a process's web server tells, and what it does not."""

from __future__ import annotations

import logging
import re

import httpx
import pytest

from agents.process.logs import set_up_logs
from agents.process.web import make_web, serving
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

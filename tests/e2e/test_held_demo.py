"""Test `make demo HOLD=1` on a terminal: the board shows the story, and Ctrl-C ends it."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys

import httpx
import pytest

# It plays slowly, so that one can watch.
pytestmark = [pytest.mark.e2e, pytest.mark.nightly, pytest.mark.timeout(420)]


async def test_the_held_demo_shows_its_story_until_ctrl_c() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agents.demo",
        env={**os.environ, "HOLD": "1"}, stdout=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        async with asyncio.timeout(330):
            while "The board stays at" not in said:
                line = await process.stdout.readline()
                assert line, said
                said += line.decode()
        assert "As expected" in said
        (live,) = re.findall(r"Watch it live: (\S+)", said)
        (base,) = re.findall(r"The board stays at (\S+) until", said)
        assert live == base, "it can be watched from the beginning"
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=20.0) as reader:
            items = (await reader.get("/api/v1/events?pair=putin%2Bxi&kind=call")).json()["items"]
            (call,) = items
            assert (call["status"], call["medium"]) == ("held", "video")
            assert "普京" in said, "what to search for"
            found = (await reader.get("/api/v1/events", params={"q": "普京"})).json()["items"]
            assert call["event_id"] in {item["event_id"] for item in found}
            page = (await reader.get(f"/events/{call['event_id']}")).text
            assert "One text in" in page, "a wire story in several papers"
            assert page.count('class="state sent"') == 2, "both receivers were told"
        os.killpg(process.pid, signal.SIGINT)  # what a terminal does at Ctrl-C
        assert await asyncio.wait_for(process.wait(), 30) == 0
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

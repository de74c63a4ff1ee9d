"""Provide a real browser: Debian's Chromium, driven by Playwright. Tests are skipped where it is not installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.agents.board.boards import Board, board
from tests.browser.world import furnish, story

CHROMIUM = os.environ.get("SUMMITRY_CHROMIUM") or shutil.which("chromium") or ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> AsyncIterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no Chromium here (Debian: apt install chromium), and SUMMITRY_CHROMIUM names none")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="module")
async def place(tmp_path: Path) -> AsyncIterator[Board]:
    async with board(tmp_path, *story()) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quiet_place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Board]:
    """A board for tests that only look."""
    async with board(tmp_path_factory.mktemp("board"), *story()) as running:
        furnish(running)
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(chromium: Browser, place: Board) -> AsyncIterator[Page]:
    """A page on the board. At its end, nothing was asked of another host and no script or policy complained."""
    context = await chromium.new_context(base_url=place.base, viewport={"width": 1280, "height": 900})
    opened = await context.new_page()
    elsewhere: list[str] = []
    complaints: list[str] = []
    opened.on("request", lambda request: None if request.url.startswith(place.base) else elsewhere.append(request.url))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield opened
    await context.close()
    assert elsewhere == []
    assert [each for each in complaints if "404" not in each] == []

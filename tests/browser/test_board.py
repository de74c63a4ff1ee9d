"""Test the board in a real browser."""

from __future__ import annotations

import os
import re
from base64 import b64decode
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace
from playwright.async_api import Browser, Page, expect

from agents.board.pages.rendering import BROADCASTER
from monitor.notify import Ack, Feedback, Silence
from monitor.records import decode
from tests.agents.board.boards import Board
from tests.browser.world import call, news, story
from tests.monitor.archive.samples import HOSTILE, event
from tests.test_project import ROOT

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180), pytest.mark.xdist_group("browser")]

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text("utf-8")
CALL = f"/events/{call().event_id}"
PAGES = {
    "now": "/",
    "event": CALL,
    "calendar": "/calendar",
    "pairs": "/pairs",
    "pair": "/pairs/vladimir-putin+xi-jinping",
    "leaders": "/leaders",
    "leader": "/leaders/xi-jinping",
    "map": "/map",
    "feeds": "/feeds",
    "system": "/system",
    "login": "/login",
    "missing": "/nothing",
}
WIDTHS = {"phone": 390, "tablet": 820, "desk": 1280}
#: Pages without a picture of their own.
PLAIN = {"login", "missing"}


async def cards(page: Page) -> list[str]:
    return [await each.get_attribute("data-id") or "" for each in await page.locator(".card").all()]


async def test_reading_filtering_and_sharing_a_view(page: Page) -> None:
    await page.goto("/")
    assert len(await cards(page)) == len(story())
    await page.get_by_label("Planned").check()
    await expect(page.locator(".card")).to_have_count(2)
    assert page.url.endswith("/?status=planned"), "the address has what is set and nothing else"
    await page.get_by_placeholder("Search").fill("moditalia")
    await expect(page.locator(".empty")).to_contain_text("No event matches")
    await page.get_by_placeholder("Search").fill("モディ")
    await expect(page.locator(".card")).to_have_count(1)
    shared = page.url
    await page.get_by_role("link", name="Clear all").click()
    await expect(page.locator(".card")).to_have_count(len(story()))
    await page.goto(shared)
    await expect(page.locator(".card")).to_have_count(1)
    await expect(page.get_by_label("Planned")).to_be_checked()


async def test_an_event_that_arrives_slides_in_without_a_reload(page: Page, place: Board) -> None:
    await page.goto("/")
    await expect(page.locator("#live")).to_have_text("live")
    await page.evaluate("window.kept = true")
    await place.bring(news())
    first = page.locator(".card").first
    await expect(first).to_have_attribute("data-id", news().event_id)
    await expect(first).to_have_class(re.compile("fresh"))
    old = story()[9]
    denied = replace(old, revision=9, status="denied", history=(*old.history, *news().history))
    await place.bring(denied)
    await expect(page.locator(f"#e-{old.event_id} .pill")).to_have_text("Denied")
    assert len(await cards(page)) == len(story()) + 1
    assert (await cards(page))[:2].count(old.event_id) == 1, "what changed last is on top"
    assert await page.evaluate("window.kept") is True


async def test_a_filtered_view_takes_in_and_lets_go(page: Page, place: Board) -> None:
    await page.goto("/?status=planned")
    await expect(page.locator("#live")).to_have_text("live")
    plan = story()[2]
    await place.bring(news())
    await place.bring(replace(plan, revision=9, status="cancelled"))
    await expect(page.locator(".card")).to_have_count(1)
    await place.bring(replace(news(), revision=5, status="planned"))
    await expect(page.locator(".card")).to_have_count(2)


async def test_what_came_while_the_line_was_down_is_there_after_it(page: Page, place: Board) -> None:
    await page.goto("/")
    await expect(page.locator("#live")).to_have_text("live")
    place.site[BROADCASTER].close()
    await place.bring(news())
    await expect(page.locator(".card").first).to_have_attribute("data-id", news().event_id, timeout=15_000)


async def test_seen_silence_and_wrong(page: Page, place: Board) -> None:
    await page.goto(CALL)
    await page.get_by_label("Your name").first.fill("Ada")
    await page.get_by_role("button", name="Mark as seen").click()
    await expect(page.get_by_text("Seen by Ada")).to_be_visible()
    await page.locator("summary", has_text="Silence").click()
    await page.get_by_label("How long").select_option("4h")
    await page.get_by_label("Why").fill("covered live")
    await page.get_by_role("button", name="Silence", exact=True).click()
    await expect(page.get_by_text("Silenced until 4 Feb 2026, 16:00 UTC")).to_be_visible()
    await page.locator("summary", has_text="Wrong?").click()
    await page.get_by_label("What is wrong").fill("it was a letter")
    await page.get_by_role("button", name="It is wrong").click()
    await expect(page.get_by_text("it was a letter")).to_be_visible()
    await page.locator("#source-5").hover()
    await page.locator("#source-5").get_by_role("button", name="Not this event").click()
    await expect(page.get_by_text("An article is of another event")).to_be_visible()
    (ack,), (note,) = place.outbox.values("summitry.acks"), place.outbox.values("summitry.silences")
    assert decode(Ack, ack or b"").by == "Ada"
    assert decode(Silence, note or b"").reason == "covered live"
    wrong, other = (decode(Feedback, each or b"") for each in place.outbox.values("summitry.feedback"))
    assert (wrong.by, wrong.verdict, other.article_id) == ("Ada", "wrong", "a5")


async def test_the_keyboard_is_enough(page: Page) -> None:
    await page.goto("/")
    await expect(page.locator("#live")).to_have_text("live")
    focused = "document.activeElement.closest('.card')?.dataset.id"
    order = await cards(page)
    await page.keyboard.press("j")
    assert await page.evaluate(focused) == order[0]
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await page.keyboard.press("k")
    assert await page.evaluate(focused) == order[1]
    await page.keyboard.press("?")
    await expect(page.locator("#help")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.id") == "q"
    await page.keyboard.type("jk?")
    assert await page.input_value("#q") == "jk?", "letters in a field are letters"
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("p")
    await expect(page).to_have_url(re.compile("/pairs$"))
    await page.goto("/")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(f"/events/{order[0]}$"))


async def test_dark_is_remembered(page: Page) -> None:
    await page.goto("/")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(ground)
    await page.keyboard.press("d")
    dark = await page.evaluate(ground)
    assert dark != light
    await page.goto("/pairs")
    assert await page.evaluate(ground) == dark


async def test_sources_light_up_with_what_they_support(page: Page) -> None:
    await page.goto(CALL)
    await page.locator(".brief .cite", has_text="5").first.hover()
    await expect(page.locator("#source-5")).to_have_class(re.compile("lit"))
    await expect(page.locator("dd[data-cites='5']")).to_have_class(re.compile("lit"))
    await page.locator("h1").hover()
    await expect(page.locator("#source-5")).not_to_have_class(re.compile("lit"))


async def test_an_open_event_says_that_it_changed(page: Page, place: Board) -> None:
    await page.goto(CALL)
    await expect(page.locator("#live")).to_have_text("live")
    await place.bring(replace(call(), revision=7, status="denied"))
    await expect(page.locator("#changed")).to_be_visible()
    await page.locator("#changed a").click()
    await expect(page.locator("h1 >> xpath=../p[1]")).to_contain_text("Denied")


async def test_without_javascript_everything_can_be_read(chromium: Browser, place: Board) -> None:
    context = await chromium.new_context(base_url=place.base, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/")
    await page.get_by_label("Planned").check()
    await page.get_by_role("button", name="Search").click()
    assert len(await cards(page)) == 2
    await page.locator(".card h3 a").first.click()
    await expect(page.locator("h1")).to_be_visible()
    await page.locator("#theme").click()
    assert await page.locator("html").get_attribute("data-theme") == "dark"
    await context.close()


async def test_hostile_texts_run_nothing(page: Page, place: Board) -> None:
    await page.goto("/")
    await expect(page.locator("#live")).to_have_text("live")
    bad = event("bad", brief=f"{HOSTILE} [1]", forum=HOSTILE, context=HOSTILE)
    await place.bring(replace(bad, participants=tuple(replace(p, name=HOSTILE) for p in bad.participants)))
    await expect(page.locator("#e-bad")).to_be_visible()
    assert await page.locator(".card script").count() == 0
    await page.goto("/events/bad")
    assert await page.locator("main script").count() == 0
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
async def test_each_page_fits_and_axe_finds_nothing_serious(
    chromium: Browser, quiet_place: Board, tmp_path: Path, name: str, scheme: Literal["light", "dark"]
) -> None:
    context = await chromium.new_context(base_url=quiet_place.base, color_scheme=scheme)
    page = await context.new_page()
    await page.goto(PAGES[name])
    for width_name, width in WIDTHS.items():
        await page.set_viewport_size({"width": width, "height": 844 if width < 500 else 800})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"too wide at {width}"
        if name not in PLAIN:
            # Pictures for the documentation are made anew with SUMMITRY_PICTURES=docs/images.
            folder = os.environ.get("SUMMITRY_PICTURES")
            await picture(page, (ROOT / folder if folder else tmp_path) / f"board-{name}-{width_name}-{scheme}.webp")
        if width_name != "tablet":
            assert await faults(page) == []
    await context.close()


async def picture(page: Page, path: Path) -> None:
    """Write what the page shows as WebP, a third of a PNG's size; Playwright itself has no such format."""
    session = await page.context.new_cdp_session(page)
    shot = await session.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
    await session.detach()
    path.write_bytes(b64decode(shot["data"]))
    assert path.stat().st_size > 4000, "an empty page"


async def faults(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    await page.evaluate(AXE)
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ]


async def test_every_picture_is_committed_and_shown() -> None:
    text = (ROOT / "docs" / "board.md").read_text("utf-8")
    wanted = {
        f"board-{name}-{width}-{scheme}.webp"
        for name in PAGES.keys() - PLAIN
        for width in WIDTHS
        for scheme in ("light", "dark")
    }
    there = {path.name: path.stat().st_size for path in (ROOT / "docs" / "images").glob("board-*")}
    assert there.keys() == wanted
    assert [name for name in sorted(wanted) if f"images/{name}" not in text] == []
    assert sum(there.values()) < 6_000_000

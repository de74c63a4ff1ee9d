"""Test the small inputs under feeds/reports of the folder that SUMMITRY_EVAL names, each with its right result.

They are no part of the project, and each stands for a kind that the tests of the rows of docs/polling.md cover.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from monitor.feeds.formats.document import Entry
from monitor.feeds.formats.fields.dates import read_date
from monitor.feeds.formats.parse import parse
from monitor.feeds.pages.page_claims import names_article
from tests.feedserver import FeedServer, Reply, Request
from tests.monitor.feeds.world import HOUR, World

REPORTS = Path(os.environ.get("SUMMITRY_EVAL", Path(__file__).parents[5] / "shared")) / "feeds" / "reports"
pytestmark = pytest.mark.skipif(not REPORTS.is_dir(), reason=f"no reports in {REPORTS} (SUMMITRY_EVAL)")


def entries(name: str) -> tuple[Entry, ...]:
    return parse((REPORTS / name).read_bytes()).entries


def answer(name: str) -> Reply:
    """A raw answer: what stands after the first two lines, with the ends of lines that heads have."""
    whole = (REPORTS / name).read_bytes().split(b"\n", 2)[2]
    head, _, body = whole.replace(b"\r\n", b"\n").partition(b"\n\n")

    async def write(writer: object) -> None:
        writer.write(head.replace(b"\n", b"\r\n") + b"\r\n\r\n" + body)  # type: ignore[attr-defined]

    return Reply(raw=write)


async def polled(*replies: Reply) -> tuple[World, FeedServer]:
    async with FeedServer() as server:
        world = World(server)
        server.on("/feed.xml", replies)
        world.add()
        for _ in replies:
            await world.poll(after=HOUR)
        await world.fetcher.aclose()
    return world, server


def script(name: str) -> object:
    spec = importlib.util.spec_from_file_location("report", REPORTS / name)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_documents_have_the_right_words() -> None:
    assert [entry.title for entry in entries("31-title-with-tag-rss.xml")] == ["A free guide to <head> elements"]
    first, second = entries("33-escaped-cdata.xml")
    assert (first.title, second.title, second.summary) == ("Hello World", "Second", "Words")
    assert [entry.title for entry in entries("35-json-half-an-emoji.json")] == ["Cut emoji \ufffd", "Second"]
    french = entries("44a-french-latin1-labelled-utf8.xml")
    assert len(french) == 12
    assert all("fermé à Orléans" in entry.title for entry in french)
    assert [entry.summary for entry in entries("65-picture-only-post.xml")] == ["Photo of a sunken ferry at pier 4"]
    assert [entry.content for entry in entries("69-json-text-with-angles.json")] == ["if a<b and c>d then"]


def test_documents_have_the_right_times() -> None:
    (date,) = (entry.published for entry in entries("45a-cjk-date-without-space.xml"))
    assert date is not None
    assert date.isoformat() == "2026-02-04T15:15:00+00:00"
    hindi = [entry.published for entry in entries("58a-month-hindi-bengali.xml")]
    assert [date and date.isoformat()[:16] for date in hindi] == [
        "2026-02-04T09:45", "2026-01-04T09:45", "2026-02-04T09:15",
    ]  # fmt: skip
    for line in (REPORTS / "59-zones-and-dot-times.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            raw, language, zone, expected, _ = (part.strip() for part in line.split("|"))
            value = read_date(raw, language=language, zone=zone).value
            assert value is not None
            assert value.isoformat()[:16] == expected.rstrip("Z"), raw


@pytest.mark.slow
def test_the_newest_of_a_long_document_are_read() -> None:
    before, after = (
        {entry.title for entry in parse(body).entries} for body in script("07-oldest-first-over-2000.py").POLLS
    )  # type: ignore[attr-defined]
    assert after - before == {"Press release 2100"}


@pytest.mark.parametrize("name", ["24-content-encoding-utf8.txt", "25-header-without-colon.txt", "68-status-203.txt"])
async def test_answers_that_are_not_quite_right_are_read(name: str) -> None:
    world, _ = await polled(answer(name))
    assert world.state().last_error == ""
    assert len(world.titles) == 3


async def test_redirects_are_followed_as_by_browsers() -> None:
    _, server = await polled(answer("22-location-raw-utf8.txt"))
    assert server.requests[-1].path == "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/rss"
    redirect, feed = answer("23-redirect-to-itself-with-cookie.txt"), answer("68-status-203.txt")

    def by_cookie(request: Request) -> Reply:
        return feed if request.header("cookie") == "seen=1" else redirect

    async with FeedServer() as server:
        world = World(server)
        server.on("/feed.xml", by_cookie)
        world.add()
        assert (await world.poll()).last_error == ""
        await world.fetcher.aclose()
    assert len(world.titles) == 3


async def test_the_last_entry_of_a_cut_body_waits() -> None:
    cut = (REPORTS / "30-cut-document-close-delimited.txt").read_bytes().replace(b"\r\n", b"\n").split(b"\n\n", 1)[1]
    start = cut.index(b"<item>")
    item = cut[start : cut.index(b"</item>") + len(b"</item>")]
    items = b"".join(item.replace(b"0", b"%d" % n) for n in range(4))
    whole = Reply(200, cut[:start] + items + b"</channel></rss>")
    world, _ = await polled(answer("30-cut-document-close-delimited.txt"), whole)
    assert len(world.store.articles) == 4
    assert all(article.revision == 0 for article in world.store.articles)


@pytest.mark.slow
async def test_max_body_lets_a_longer_body_in() -> None:
    async with FeedServer() as server:
        world = World(server)
        server.on("/feed.xml", Reply(200, script("28-max-body-has-no-effect.py").BODY))  # type: ignore[attr-defined]
        world.add(max_body=20_000_000)
        assert (await world.poll()).last_error == ""
        await world.fetcher.aclose()
    assert len(world.titles) == 1700


def test_a_home_page_is_no_article() -> None:
    assert (
        b'rel="canonical" href="https://gazette.example/"' in (REPORTS / "61-canonical-is-home-page.txt").read_bytes()
    )
    assert not names_article("https://gazette.example/", "https://gazette.example/a1")

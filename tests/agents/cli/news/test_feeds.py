"""Test `summitry feeds`."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agents.cli import cli
from agents.pollers.feed_topics import TopicStore, load_feeds
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.errors import UnknownIdError
from monitor.feeds.novelty.key_choice import KeyChoice
from monitor.feeds.polling.feed_report import FeedStatus, statuses, table
from monitor.feeds.polling.feed_state import FeedState, HourCount
from monitor.feeds.subscriptions.opml import read_opml
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.kafka import BrokerSettings, producer
from tests.feedserver import FeedServer, Reply, rss

FEED = rss("one story", "two story")


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    async with FeedServer() as running:
        yield running


def run(*arguments: str, prefix: str = "") -> Result:
    env = {"SUMMITRY_TOPICS__PREFIX": prefix} if prefix else {}
    return CliRunner(env=env).invoke(cli, ["feeds", *arguments])


async def served(*arguments: str, prefix: str = "") -> Result:
    """The command, while this loop serves the feed it asks for."""
    return await asyncio.to_thread(run, *arguments, prefix=prefix)


async def test_check_explains_an_address(server: FeedServer) -> None:
    headers = {"ETag": '"a"', "Cache-Control": "max-age=1800", "Content-Type": "application/rss+xml"}
    address = server.on("/feed.xml", Reply(200, FEED, headers))
    result = await served("check", address, "--private", "--entries", "1")
    assert result.exit_code == 0, result.output
    for said in (
        address,
        "200 in",
        'ETag "a"',
        "headers 30 min",
        "RSS, well formed",
        "Identity    by guid",
        "Next poll",
    ):
        assert said in result.output
    assert len(server.requests) == 1


async def test_check_names_what_is_not_published_and_why(server: FeedServer) -> None:
    items = b"<item><title>A story</title></item><item><link>https://example.org/7</link></item>"
    body = b"<rss version='2.0'><channel><title>S</title>" + items + b"</channel></rss>"
    result = await served("check", server.on("/feed.xml", Reply(200, body)), "--private")
    assert "Left out    1 entry, since it has neither title nor text: https://example.org/7" in result.output
    told = await served("check", server.url("/feed.xml"), "--private", "--format", "json")
    assert '"reason":"no_words"' in told.output


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(200, b"<!doctype html><html><body>" + b"x" * 200), "html"),
        (Reply(404), "not_found"),
        (Reply(200, b"<note>" + b"x" * 100 + b"</note>"), "not_a_feed"),
    ],
)
async def test_check_of_what_is_no_feed_names_the_reason_and_ends_with_1(
    server: FeedServer, reply: Reply, reason: str
) -> None:
    result = await served("check", server.on("/feed.xml", reply), "--private")
    assert result.exit_code == 1
    assert f"({reason})" in result.output
    assert "Health" in result.output


async def test_nothing_that_a_server_says_moves_the_terminals_cursor(server: FeedServer) -> None:
    headers = {"ETag": '"\x1b[2J\x9b31m"', "Content-Type": "text/xml\x1b]0;owned\x07"}
    result = await served("check", server.on("/feed.xml", Reply(200, FEED, headers)), "--private")
    assert not set("\x1b\x9b\x07") & set(result.output)


async def test_check_gives_json_for_programs(server: FeedServer) -> None:
    result = await served("check", server.on("/feed.xml", Reply(200, FEED)), "--private", "--format", "json")
    told = json.loads(result.output)
    assert (told["status"], told["mode"], told["identity"], len(told["entries"])) == (200, "rss", "guid", 2)


def test_check_reads_a_file_and_tells_what_is_wrong_with_its_dates(tmp_path: Path) -> None:
    path = tmp_path / "saved.xml"
    path.write_text("<rss><channel><item><title>One</title><pubDate>2 Mar 2026 17:00</pubDate></item></channel></rss>")
    result = run("check", str(path), "--timezone", "Asia/Tokyo")
    assert result.exit_code == 0
    assert "2026-03-02 08:00  One" in result.output
    assert "1 entry with a date without a zone" in result.output


def test_check_counts_what_is_not_believed(tmp_path: Path) -> None:
    dates = ("Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 04 Feb 2099 15:15:00 GMT", "Thu, 05 Feb 2099 15:15:00 GMT", "soon")
    items = "".join(f"<item><title>Story {n}</title><pubDate>{date}</pubDate></item>" for n, date in enumerate(dates))
    path = tmp_path / "saved.xml"
    path.write_text(
        f"<rss><channel>{items}<item><title>S</title><link>https://a.example/1</link></item></channel></rss>"
    )
    output = run("check", str(path)).output
    for line in (
        "Dates       2 entries with a date over an hour in the future, which is ignored",
        "Dates       1 entry with a date before 1990, which is ignored",
        "Dates       1 entry with a date that can't be read",
        "Links       4 entries without a valid link",
    ):
        assert line in output


def test_check_of_nothing_that_is_known_is_a_mistake() -> None:
    assert isinstance(run("check", "no-such-feed").exception, UnknownIdError)


async def test_discover_prints_what_it_found(server: FeedServer) -> None:
    head = b'<html><head><link rel="alternate" type="application/rss+xml" href="/f"></head><body>hello</body></html>'
    server.on("/", Reply(200, head, {"Content-Type": "text/html"}))
    server.on("/f", Reply(200, FEED))
    result = await served("discover", server.url("/"), "--private")
    assert result.exit_code == 0, result.output
    assert server.url("/f") in result.output
    assert "2 entries, rss; <link rel=alternate>" in result.output


def test_export_of_the_bundled_list_can_be_imported_again(tmp_path: Path) -> None:
    opml = tmp_path / "out.opml"
    opml.write_text(run("export", "--bundled").output)
    result = run("import", str(opml), "--dry-run")
    assert "92 feeds read, 0 rows skipped; nothing was written" in result.output
    yaml = tmp_path / "out.yaml"
    yaml.write_text(run("export", "--bundled", "--format", "yaml").output)
    assert "92 feeds read" in run("import", str(yaml), "--dry-run").output


@pytest.mark.broker
async def test_feeds_go_in_show_their_state_and_come_out_again(broker: str, prefix: str, tmp_path: Path) -> None:
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    await create(settings, TopicSettings(prefix=prefix))
    opml = tmp_path / "in.opml"
    opml.write_text(
        '<opml><body>\n<outline text="A" xmlUrl="https://a.example/rss"/>\n<outline text="B" type="rss"/>\n'
        '<outline text="C" xmlUrl="https://c.example/rss" language="fr"/>\n</body></opml>'
    )
    result = await served("import", str(opml), "--broker", broker, prefix=prefix)
    assert result.exit_code == 0, result.output
    assert "2 feeds read, 1 rows skipped; 2 new or changed, 0 unchanged" in result.output
    assert "line 3: a feed without xmlUrl" in result.output

    first, second = sorted((await load_feeds(settings, names.feeds)).values(), key=lambda feed: feed.url)
    async with producer(settings) as client:
        store = TopicStore(settings, client, names)
        dead = FeedState(feed=first.id, health="DEAD", health_reason="no such host since Monday", next_due=4e9)
        await store.save(0, first, dead, {})
    listed = await served("list", "--broker", broker, prefix=prefix)
    lines = listed.output.splitlines()
    assert lines[1].split()[:2] == ["DEAD", first.id]
    assert "no such host since Monday" in lines[1]
    assert lines[-1] == "2 feeds: 1 DEAD, 1 NEW"
    told = await served("list", "--state", "new", "--format", "json", "--broker", broker, prefix=prefix)
    assert [json.loads(line)["id"] for line in told.output.splitlines()] == [second.id]

    exported = await served("export", "--broker", broker, prefix=prefix)
    assert [feed.url for feed in read_opml(exported.output.encode()).feeds] == [first.url, second.url]
    removed = await served("remove", first.id, "nobody", "--broker", broker, prefix=prefix)
    assert removed.output == "1 of 2 feeds removed\n"
    assert str(removed.exception) == "no feed nobody; see `summitry feeds list` for the ids"
    assert list(await load_feeds(settings, names.feeds)) == [second.id]


def test_the_table_counts_a_day_and_warns_of_unverified_tls() -> None:
    now = 1_772_438_400.0
    hour = int(now // 3600)
    feed = Subscription(id="a", url="https://a.example/", tls_verify=False)
    hours = (HourCount(hour - 24, 9, 9, 9), HourCount(hour - 1, 4, 3, 2), HourCount(hour, 1, 0, 5))
    state = FeedState(feed="a", health="OK", hours=hours, next_due=now + 300, last_success=now - 7200, newest=now - 60)
    off = Subscription(id="b", url="https://b.example/", enabled=False, notes="moved away")
    ok, unused = rows = statuses([off, feed], {"a": state}, now)
    assert (ok.entries_24h, ok.polls_24h, ok.not_modified_24h) == (7, 5, 3)
    assert (unused.state, unused.why, unused.next_due) == ("OFF", "moved away", None)
    text = table(rows, now).splitlines()
    assert "OK     a     5 min" in text[1]
    assert "TLS NOT VERIFIED" in text[1]
    assert isinstance(rows[0], FeedStatus)


def test_the_table_says_what_came_when_it_is_asked_next_and_why() -> None:
    now = 1_772_438_400.0
    hour = HourCount(int(now // 3600), 7, 4, 3)
    state = FeedState(
        feed="a", health="ERROR", health_reason="HTTP status 503 (since noon, 2 in a row)", last_status=503,
        last_error="server_error", next_due=now + 1800, due_reason="2 errors in a row", hours=(hour,),
        newest=now - 3600, last_success=now - 600, parse_mode="rss-repaired",
        choice=KeyChoice("link", "guids moved", ("sid",)),
    )  # fmt: skip
    fine = FeedState(feed="b", health="OK", last_status=304, next_due=now + 300, due_reason="fixed interval")
    feeds = [Subscription(id=name, url=f"https://{name}.example/") for name in "ab"]
    head, first, second, *_ = table(statuses(feeds, {"a": state, "b": fine}, now), now).splitlines()
    assert re.split(r"\s{2,}", head) == [
        "STATE", "FEED", "NEXT", "LAST OK", "ANSWER", "POLLS", "304", "NEW", "NEWEST", "MODE", "KEY", "WHY",
    ]  # fmt: skip
    assert re.split(r"\s{2,}", first) == [
        "ERROR", "a", "30 min", "10 min", "server_error", "7", "4", "3", "60 min", "rss-repaired",
        "link without sid",
        "HTTP status 503 (since noon, 2 in a row); key link without sid: guids moved; next: 2 errors in a row",
    ]  # fmt: skip
    assert re.split(r"\s{2,}", second)[4] == "304"
    assert second.endswith("next: fixed interval")

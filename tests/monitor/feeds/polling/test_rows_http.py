"""Test the behaviour table of docs/polling.md, rows 1-8, 27, 29-37, 63: requests and responses, with a real server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from monitor.errors import BrokerError
from monitor.feeds.polling.poll_store import MemoryPollStore
from monitor.feeds.subscriptions.subscription import Auth, SecretRef, Subscription
from tests.feedserver import FeedServer, Reply, conditional, rss
from tests.monitor.feeds.world import DAY, HOUR, MINUTE, World

BODY = rss("one story", "two story")


def sent(server: FeedServer, name: str) -> str | None:
    return server.requests[-1].header(name)


@pytest.mark.parametrize("etag", ['W/"a-gzip"', '"x y"', "unquoted", '"caf\xe9"'])
async def test_row_01_an_etag_goes_back_byte_for_byte(server: FeedServer, world: World, etag: str) -> None:
    server.on("/feed.xml", Reply(200, BODY, {"ETag": etag}))
    world.add()
    await world.poll()
    await world.poll(after=HOUR)
    assert sent(server, "If-None-Match") == etag


@pytest.mark.parametrize(
    "date", ["Mon, 2 Mar 2026 09:00:00 GMT", "Monday, 02-Mar-26 09:00:00 GMT", "2026-03-02T09:00Z"]
)
async def test_row_02_last_modified_goes_back_verbatim(server: FeedServer, world: World, date: str) -> None:
    server.on("/feed.xml", Reply(200, BODY, {"Last-Modified": date}))
    world.add()
    await world.poll()
    await world.poll(after=HOUR)
    assert sent(server, "If-Modified-Since") == date


async def test_row_03_validators_are_renewed_when_the_body_is_the_same(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", [Reply(200, BODY, {"ETag": f'"{n}"', "Last-Modified": f"day {n}"}) for n in range(4)])
    world.add()
    for n in range(4):
        await world.poll(after=HOUR)
        if n:
            assert sent(server, "If-None-Match") == f'"{n - 1}"'
            assert sent(server, "If-Modified-Since") == f"day {n - 1}"


async def test_row_03_validators_that_the_server_gave_up_are_not_sent_again(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", [Reply(200, BODY, {"ETag": '"1"'}), Reply(200, BODY)])
    world.add()
    for _ in range(3):
        await world.poll(after=HOUR)
    assert sent(server, "If-None-Match") is None


async def test_row_04_validators_stay_old_until_the_broker_has_the_articles(
    server: FeedServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.feeds.polling.poller.PUBLISH_PAUSES", (0.0,))
    server.on(
        "/feed.xml", [Reply(200, rss("one a"), {"ETag": '"1"'}), Reply(200, rss("two b", "one a"), {"ETag": '"2"'})]
    )
    world.add()
    await world.poll()
    world.store.failures = 2
    state = await world.poll(after=HOUR)
    assert (state.etag, state.last_error, state.health) == ('"1"', "not_published", "ERROR")
    assert world.titles == ["one a"]
    # The broker is back: the same document is read again, and nothing is lost.
    await world.poll(after=HOUR)
    assert sent(server, "If-None-Match") == '"1"'
    assert world.titles == ["one a", "two b"]
    await world.poll(after=HOUR)
    assert sent(server, "If-None-Match") == '"2"'


async def test_row_04_a_broker_that_is_away_for_a_moment_costs_nothing(
    server: FeedServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.feeds.polling.poller.PUBLISH_PAUSES", (0.0, 0.0))
    server.on("/feed.xml", Reply(200, BODY, {"ETag": '"1"'}))
    world.add()
    world.store.failures = 2
    state = await world.poll()
    assert (state.etag, state.health, len(world.titles)) == ('"1"', "OK", 2)


async def test_row_04_what_the_broker_could_not_take_is_not_asked_for(server: FeedServer, world: World) -> None:
    class Away(MemoryPollStore):
        away = True

        async def save(self, *record: Any) -> None:
            if self.away:
                raise BrokerError("the fake broker is away")
            await super().save(*record)

    world.store = store = Away()
    world.poller = world.restarted()
    server.on("/feed.xml", Reply(200, BODY))
    world.add()
    world.now += 1
    await world.poller.poll_now("a")
    assert server.requests == []
    assert world.poller._agenda.due("a") == world.now + 10
    store.away = False
    await world.poll(after=10)
    assert (len(server.requests), len(store.articles)) == (1, 2)


async def test_row_05_a_304_renews_the_validators_it_carries(server: FeedServer, world: World) -> None:
    first = Reply(200, BODY, {"ETag": '"1"', "Last-Modified": "first"})
    server.on("/feed.xml", [first, Reply(304, headers={"ETag": '"2"'}), Reply(304)])
    world.add()
    for _ in range(3):
        await world.poll(after=HOUR)
    assert (sent(server, "If-None-Match"), sent(server, "If-Modified-Since")) == ('"2"', "first")


async def test_row_06_a_200_with_the_same_etag_is_not_parsed(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", [Reply(200, BODY + b"<!-- %d -->" % n, {"ETag": '"same"'}) for n in range(3)])
    world.add()
    for _ in range(3):
        state = await world.poll(after=HOUR)
    assert (world.parser.calls, state.health) == (1, "OK")


@pytest.mark.parametrize("etag", ['"same"', 'W/"same"'])
async def test_row_145_an_etag_that_never_changes_hides_no_entries(server: FeedServer, world: World, etag: str) -> None:
    longer = rss("three story", "one story", "two story")
    server.on("/feed.xml", [Reply(200, body, {"ETag": etag}) for body in (BODY, BODY, longer, longer)])
    world.add()
    for _ in range(4):
        await world.poll(after=HOUR)
    assert (sorted(world.titles), world.parser.calls) == (["one story", "three story", "two story"], 2)


async def test_row_07_an_equal_body_is_not_parsed(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", [Reply(200, BODY), Reply(200, BODY), Reply(200, rss("three story", "one story"))])
    world.add()
    calls = []
    for _ in range(3):
        await world.poll(after=HOUR)
        calls.append(world.parser.calls)
    assert calls == [1, 1, 2]


@pytest.mark.parametrize(
    "change",
    [
        {"user_agent": "other"}, {"accept": "*/*"}, {"headers": {"X-Key": "1"}}, {"path": "/other.xml"},
        {"auth": Auth(bearer=SecretRef(env="FEED_TOKEN"))}, {"cookie": SecretRef(env="FEED_TOKEN")},
    ],
)  # fmt: skip
async def test_row_08_validators_are_dropped_when_the_request_changes(
    server: FeedServer, world: World, change: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEED_TOKEN", "t0ken")
    for path in ("/feed.xml", "/other.xml"):
        server.on(path, conditional(lambda: BODY))
    feed = world.add()
    await world.poll()
    path = change.pop("path", "/feed.xml")
    world.poller.change(0, Subscription(**{**_fields(feed), "url": server.url(str(path)), **change}))
    await world.poll(after=HOUR)
    assert sent(server, "If-None-Match") is None
    assert len(world.titles) == 2, "what was seen stays seen"
    await world.poll(after=HOUR)
    assert sent(server, "If-None-Match") is not None


async def test_row_08_validators_stay_when_only_a_note_changes(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", conditional(lambda: BODY))
    feed = world.add()
    await world.poll()
    world.poller.change(0, Subscription(**{**_fields(feed), "notes": "read daily"}))
    await world.poll(after=HOUR)
    assert sent(server, "If-None-Match") is not None


async def test_row_27_an_error_is_not_retried_within_the_poll(server: FeedServer, world: World) -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    replies = (Reply(500), Reply(403), Reply(200, b"<html>no feed</html>" * 9), Reply(200, b""), Reply(raw=reset))
    for number, reply in enumerate(replies):
        server.on(f"/{number}.xml", reply)
        world.add(str(number), f"/{number}.xml")
        assert (await world.poll(str(number))).error_count == 1
        assert len(server.hits(f"/{number}.xml")) == 1
    assert len(server.requests) == len(replies)


async def test_row_29_nothing_is_added_to_the_address(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(200, BODY))
    world.add(path="/feed.xml?b=2&a=%20x&a=1")
    await world.poll()
    await world.poll(after=HOUR)
    assert {request.path for request in server.requests} == {"/feed.xml?b=2&a=%20x&a=1"}


async def test_row_30_no_cookies_and_no_referer(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(302, headers={"Location": "/real.xml", "Set-Cookie": "id=1; Path=/"}))
    server.on("/real.xml", Reply(200, BODY, {"Set-Cookie": "id=2; Path=/"}))
    world.add()
    await world.poll()
    await world.poll(after=HOUR)
    assert len(server.requests) == 4
    # A cookie is for the redirects of the poll in which it was set (row 112), and never for the next poll.
    assert [r.header("Cookie") for r in server.requests] == [None, "id=1", None, "id=1"]
    assert all(r.header("Referer") is None for r in server.requests)


async def test_row_31_the_timer_asks_for_nothing_but_feeds(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", conditional(lambda: BODY))
    world.add()
    for _ in range(5):
        await world.poll_when_due() if world.poller.held["a"].state else await world.poll()
    assert {request.path for request in server.requests} == {"/feed.xml"}


def moved(server: FeedServer, status: int = 301) -> None:
    server.on("/feed.xml", Reply(status, headers={"Location": "/new.xml"}))
    server.on("/new.xml", conditional(lambda: BODY))


async def test_row_32_a_permanent_move_is_believed_after_ten_polls_over_two_days(
    server: FeedServer, world: World
) -> None:
    server.on("/feed.xml", conditional(lambda: BODY))
    world.add()
    await world.poll()
    moved(server)
    for _ in range(9):
        state = await world.poll(after=6 * HOUR)
    assert (state.url, state.health) == (server.url("/feed.xml"), "OK")
    state = await world.poll(after=6 * HOUR)
    assert (state.url, state.health) == (server.url("/new.xml"), "MOVED")
    server.requests.clear()
    await world.poll(after=6 * HOUR)
    assert [request.path for request in server.requests] == ["/new.xml"]
    assert len(world.titles) == 2, "no entry comes twice because of the move"


async def test_row_32_a_feed_that_dies_where_it_moved_to_is_looked_for_on_the_list_again(
    server: FeedServer, world: World
) -> None:
    moved(server)
    world.add()
    for _ in range(11):
        state = await world.poll(after=6 * HOUR)
    assert state.url == server.url("/new.xml")
    server.on("/new.xml", Reply(404))
    server.on("/feed.xml", conditional(lambda: rss("three story", "one story", "two story")))
    server.requests.clear()
    while state.url != server.url("/feed.xml"):
        state = await world.poll_when_due()
    assert state.health == "DEAD"
    assert {request.path for request in server.requests} == {"/new.xml"}
    state = await world.poll_when_due()
    assert server.requests[-1].header("If-None-Match") is None
    assert (state.health, world.titles[-1]) == ("OK", "three story")


async def test_row_32_ten_polls_in_an_hour_are_not_enough(server: FeedServer, world: World) -> None:
    moved(server, 308)
    world.add()
    for _ in range(12):
        state = await world.poll(after=5 * MINUTE)
    assert state.url == server.url("/feed.xml")


async def test_row_32_a_temporary_redirect_never_sticks(server: FeedServer, world: World) -> None:
    moved(server, 302)
    world.add()
    for _ in range(30):
        state = await world.poll(after=DAY)
    assert state.url == server.url("/feed.xml")


async def test_row_32_one_answer_at_the_old_place_starts_the_count_anew(server: FeedServer, world: World) -> None:
    world.add()
    for n in range(24):
        moved(server)
        if n == 8:
            server.on("/feed.xml", conditional(lambda: BODY))
        state = await world.poll(after=6 * HOUR)
        assert (state.url == server.url("/new.xml")) == (n >= 18)


async def test_row_32_a_parked_domain_that_redirects_to_other_entries_is_not_believed(
    server: FeedServer, world: World
) -> None:
    server.on("/feed.xml", conditional(lambda: BODY))
    world.add()
    await world.poll()
    moved(server)
    for n in range(15):
        server.on("/new.xml", Reply(200, rss(f"advert{n} buy", f"casino{n} win")))
        state = await world.poll(after=6 * HOUR)
    assert state.url == server.url("/feed.xml")


async def test_row_33_redirects_in_a_circle_and_without_end_have_names(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(301, headers={"Location": "/feed.xml"}))
    world.add()
    assert (await world.poll()).last_error == "redirect_loop"
    for n in range(10):
        server.on(f"/{n}", Reply(302, headers={"Location": f"/{n + 1}"}))
    world.add("b", "/0")
    assert (await world.poll("b")).last_error == "too_many_redirects"
    assert len(server.requests) == 1 + 6
    server.on("/5", Reply(200, BODY))
    assert (await world.poll("b", after=HOUR)).health == "OK", "five hops are followed"


async def test_row_34_410_on_three_days_means_gone_but_is_still_probed(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(410))
    world.add()
    for _ in range(4):
        state = await world.poll(after=HOUR)
    assert (state.health, state.last_error) == ("ERROR", "gone")
    await world.poll(after=DAY)
    state = await world.poll(after=DAY)
    assert state.health == "GONE"
    assert world.wait() >= 7 * DAY
    server.on("/feed.xml", Reply(200, BODY))
    state = await world.poll_when_due()
    assert (state.health, len(world.titles)) == ("OK", 2)


async def test_row_35_a_challenge_page_is_recognised(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(403, b"<html>Just a moment...</html>", {"cf-mitigated": "challenge"}))
    world.add()
    state = await world.poll()
    assert (state.health, state.last_error) == ("BLOCKED", "challenge")
    assert world.wait() >= 6 * HOUR


@pytest.mark.parametrize(("status", "reason"), [(401, "unauthorized"), (403, "forbidden")])
async def test_row_35_401_and_403_are_blocked(server: FeedServer, world: World, status: int, reason: str) -> None:
    server.on("/feed.xml", Reply(status))
    world.add()
    state = await world.poll()
    assert (state.health, state.last_error) == ("BLOCKED", reason)
    assert world.wait() >= 6 * HOUR


async def test_row_36_a_web_page_is_not_a_feed(server: FeedServer, world: World) -> None:
    page = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>" + b"<p>Please sign in.</p>" * 20
    server.on("/feed.xml", Reply(200, page, {"Content-Type": "text/html", "ETag": '"page"'}))
    world.add()
    state = await world.poll()
    assert (state.health, state.last_error, state.etag) == ("BLOCKED", "html", "")


async def test_row_36_other_words_are_not_a_feed_either(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(200, b"The service is being worked on. Please come back later today. " * 9))
    world.add()
    state = await world.poll()
    assert (state.health, state.last_error) == ("ERROR", "not_a_feed")


@pytest.mark.parametrize("body", [b"", b"   \n", b"hello there"])
async def test_row_37_an_empty_or_tiny_body_is_an_error(server: FeedServer, world: World, body: bytes) -> None:
    server.on("/feed.xml", Reply(200, body))
    world.add()
    state = await world.poll()
    assert (state.health, state.last_error) == ("ERROR", "empty_body")


async def test_row_37_a_valid_document_without_entries_is_empty_and_then_fine(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", [Reply(200, rss()), Reply(200, rss("one story"))])
    world.add()
    assert (await world.poll()).health == "EMPTY"
    assert (await world.poll(after=HOUR)).health == "OK"
    assert [article.backfill for article in world.store.articles] == [False]


async def test_row_63_each_feed_has_its_own_user_agent_headers_and_login(
    server: FeedServer, world: World, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    server.on("/feed.xml", Reply(200, BODY))
    world.add(
        user_agent="Mozilla/5.0 (sample)",
        accept="application/xml",
        headers={"X-Reader": "desk"},
        cookie=SecretRef(file=str(tmp_path / "password")),
        auth=Auth(user="desk", password=SecretRef(file=str(tmp_path / "password"))),
    )
    await world.poll()
    request = server.requests[-1]
    assert request.header("User-Agent") == "Mozilla/5.0 (sample)"
    assert request.header("Accept") == "application/xml"
    assert request.header("X-Reader") == "desk"
    assert request.header("Cookie") == "s3cret"
    assert request.header("Authorization") == "Basic ZGVzazpzM2NyZXQ="
    world.add("b")
    await world.poll("b")
    request = server.requests[-1]
    assert (request.header("User-Agent") or "").startswith("Summitry/")
    assert "feed b" in (request.header("User-Agent") or "")
    assert request.header("Accept-Encoding") == "gzip"
    assert (request.header("Accept") or "").startswith("application/rss+xml")
    assert request.header("Authorization") is request.header("Cookie") is request.header("X-Reader") is None


async def test_row_63_a_feed_may_have_a_proxy(server: FeedServer, world: World) -> None:
    server.on("http://far.example/feed.xml", Reply(200, BODY))
    world.add(url="http://far.example/feed.xml", proxy=server.url("").rstrip("/"))
    state = await world.poll()
    assert (state.health, [request.path for request in server.requests]) == ("OK", ["http://far.example/feed.xml"])


async def test_row_63_a_secret_that_is_not_there_is_said_without_a_request(
    server: FeedServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_SUCH_TOKEN", raising=False)
    world.add(auth=Auth(bearer=SecretRef(env="NO_SUCH_TOKEN")))
    state = await world.poll()
    assert (state.last_error, server.requests) == ("secret_missing", [])


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_secrets_stay_with_the_origin_they_were_given_for(
    server: FeedServer, world: World, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("FEED_TOKEN", "t0ken")
    async with FeedServer("127.0.0.2") as other:
        other.on("/feed.xml", Reply(200, BODY))
        server.on("/feed.xml", Reply(status, headers={"Location": other.url()}))
        world.add(
            auth=Auth(bearer=SecretRef(env="FEED_TOKEN")), cookie=SecretRef(env="FEED_TOKEN"), headers={"X-Key": "k"},
            ports=(other.port,),
        )  # fmt: skip
        assert (await world.poll()).health == "OK"
        assert server.requests[0].header("Authorization") == "Bearer t0ken"
        assert "t0ken" not in str(other.requests)
        assert other.requests[0].header("X-Key") is None


async def test_secrets_do_not_follow_a_feed_that_has_moved_to_another_origin(
    server: FeedServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEED_TOKEN", "t0ken")
    async with FeedServer("127.0.0.2") as other:
        other.on("/feed.xml", conditional(lambda: BODY))
        server.on("/feed.xml", Reply(301, headers={"Location": other.url()}))
        world.add(auth=Auth(bearer=SecretRef(env="FEED_TOKEN")), headers={"X-Key": "k"}, ports=(other.port,))
        for _ in range(12):
            state = await world.poll(after=6 * HOUR)
        assert (state.url, state.health) == (other.url(), "MOVED")
        assert len(server.requests) < len(other.requests), "the last polls went to the new address at once"
        assert "t0ken" not in str(other.requests)
        assert all(request.header("X-Key") is None for request in other.requests)


async def test_a_304_that_nobody_asked_for_is_an_error(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(304))
    world.add()
    assert (await world.poll()).last_error == "unasked_304"


async def test_a_feed_that_ignores_the_cache_is_asked_without_conditions(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", conditional(lambda: BODY))
    world.add(ignore_http_cache=True)
    await world.poll()
    await world.poll(after=HOUR)
    assert sent(server, "If-None-Match") is None
    assert world.parser.calls == 1


def _fields(feed: Subscription) -> dict[str, object]:
    return {name: getattr(feed, name) for name in feed.__struct_fields__}

"""Test the behaviour table of docs/polling.md, rows 9-26, 28, 38, 64: when a feed is polled again."""

from __future__ import annotations

import asyncio
import itertools
import random
from email.utils import formatdate

import msgspec
import pytest
import structlog
from prometheus_client import generate_latest

from monitor import metrics
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.held_feeds import HeldFeed
from monitor.feeds.polling.schedule import PollAnswer, ScheduleRules, after, begin
from monitor.feeds.subscriptions.subscription import Subscription
from tests.feedserver import FeedServer, Reply, Request, conditional, rss
from tests.monitor.feeds.world import DAY, HOUR, MINUTE, START, World

BODY = rss("one story", "two story")


async def waits(server: FeedServer, world: World, headers: dict[str, str], body: bytes = BODY, **options: int) -> float:
    server.on("/feed.xml", Reply(200, body, headers))
    world.add(**options)
    await world.poll()
    return world.wait()


def busy(world: World, count: int = 50) -> bytes:
    """A feed with `count` entries in the last day."""
    dates = [formatdate(world.now - n * DAY / count, usegmt=True) for n in range(count)]
    return rss(*(f"entry{n} text" for n in range(count)), dates=dates)


async def test_row_09_max_age_is_honoured_less_age(server: FeedServer, world: World) -> None:
    assert await waits(server, world, {"Cache-Control": "public, max-age=3600"}) == 3600
    assert await waits(server, world, {"Cache-Control": "max-age=3600", "Age": "600"}) == 3000


async def test_row_09_a_hint_never_shortens_the_interval(server: FeedServer, world: World) -> None:
    assert await waits(server, world, {"Cache-Control": "max-age=10"}) >= 13 * MINUTE


async def test_row_09_an_operator_may_ignore_hints(server: FeedServer, world: World) -> None:
    assert await waits(server, world, {"Cache-Control": "max-age=7200"}, ignore_server_hints=True) < 20 * MINUTE
    assert await waits(server, world, {"Cache-Control": "max-age=7200"}, hint_max_s=1800) == 1800


async def test_row_10_max_age_is_honoured_on_304(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", conditional(lambda: BODY, **{"Cache-Control": "max-age=5400"}))
    world.add()
    await world.poll()
    assert world.wait() == 5400
    state = await world.poll_when_due()
    assert (state.last_status, world.wait()) == (304, 5400)


async def test_row_10_a_304_without_a_hint_keeps_the_one_of_the_200(server: FeedServer, world: World) -> None:
    first = Reply(200, BODY, {"ETag": '"1"', "Cache-Control": "max-age=5400"})
    server.on(
        "/feed.xml", [first, Reply(304), Reply(304, headers={"Cache-Control": "no-cache, max-age=9"}), Reply(304)]
    )
    world.add()
    await world.poll()
    await world.poll_when_due()
    assert world.wait() == 5400
    for _ in range(2):  # a 304 renews what the 200 said (RFC 9111, 3.2), so that nothing is left of it
        state = await world.poll_when_due()
        assert (state.last_status, state.header_hint_s, state.due_reason) == (304, 0.0, "few entries")


async def test_row_11_a_hint_is_capped_at_a_day_and_at_an_hour_for_a_busy_feed(
    server: FeedServer, world: World
) -> None:
    year = {"Cache-Control": "max-age=31536000"}
    assert await waits(server, world, year) == DAY
    assert await waits(server, world, year, busy(world)) == HOUR


async def test_row_12_no_cache_beats_max_age(server: FeedServer, world: World) -> None:
    for value in ("no-cache, max-age=7200", "max-age=7200, no-store"):
        assert await waits(server, world, {"Cache-Control": value}) < 20 * MINUTE


async def test_row_13_expires_is_relative_to_the_servers_own_date(server: FeedServer, world: World) -> None:
    skewed = world.now - 90 * DAY
    headers = {"Date": formatdate(skewed, usegmt=True), "Expires": formatdate(skewed + 5000, usegmt=True)}
    assert await waits(server, world, headers) == 5000


@pytest.mark.parametrize("expires", ["0", "-1", "Thu, 01 Jan 1970 00:00:00 GMT", "soon"])
async def test_row_13_an_expires_in_the_past_is_no_hint(server: FeedServer, world: World, expires: str) -> None:
    assert await waits(server, world, {"Expires": expires}) < 20 * MINUTE


async def test_row_14_ttl_is_honoured_also_on_304(server: FeedServer, world: World) -> None:
    body = rss("one story", channel="<ttl>45</ttl>")
    server.on("/feed.xml", conditional(lambda: body))
    world.add()
    await world.poll()
    assert world.wait() == 45 * MINUTE
    await world.poll_when_due()
    assert world.wait() == 45 * MINUTE


@pytest.mark.parametrize(("period", "frequency", "minutes"), [("hourly", "1", 60), ("daily", "8", 180)])
async def test_row_15_the_syndication_period_is_honoured(
    server: FeedServer, world: World, period: str, frequency: str, minutes: float
) -> None:
    names = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    channel = f"<sy:updatePeriod {names}>{period}</sy:updatePeriod><sy:updateFrequency {names}>{frequency}"
    body = rss("one story", channel=f"{channel}</sy:updateFrequency>")
    assert await waits(server, world, {}, body) == minutes * MINUTE


async def test_row_15_four_times_an_hour_is_fifteen_minutes(server: FeedServer, world: World) -> None:
    names = 'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"'
    channel = f"<sy:updatePeriod {names}>hourly</sy:updatePeriod><sy:updateFrequency {names}>4</sy:updateFrequency>"
    await waits(server, world, {}, rss("one story", channel=channel))
    assert world.state().document_hint_s == 15 * MINUTE


SKIPPED = "<skipHours>" + "".join(f"<hour>{hour}</hour>" for hour in range(10, 16)) + "</skipHours>"


async def test_hours_that_a_document_wants_to_skip_are_asked_four_times_less_often(
    server: FeedServer, world: World
) -> None:
    # The clock begins at 9:00 UTC on a Monday, and a new feed is asked every 15 minutes.
    server.on("/feed.xml", conditional(lambda: rss("one story", channel=SKIPPED)))
    world.add()
    await world.poll()
    assert world.wait() == 15 * MINUTE
    await world.poll(after=45 * MINUTE)
    assert world.wait() == 60 * MINUTE, "15 minutes later would be 10:00"
    assert "skipHours" in world.state().due_reason
    for _ in range(3):
        await world.poll(after=2 * HOUR)
    assert world.now == START + 6.75 * HOUR, "15:45"
    assert world.wait() == 4 * HOUR, "at most the longest interval; never a stop"


async def test_days_to_skip_are_days_of_the_week_and_lists_of_everything_say_nothing(
    server: FeedServer, world: World
) -> None:
    every = "".join(f"<hour>{hour}</hour>" for hour in range(24))
    for path, channel, minutes in (
        ("/monday.xml", "<skipDays><day>Monday</day><day>Someday</day></skipDays>", 60),
        ("/sunday.xml", "<skipDays><day>sunday</day></skipDays>", 15),
        ("/every.xml", f"<skipHours>{every}</skipHours>", 15),
    ):
        server.on(path, Reply(200, rss("one story", channel=channel)))
        world.add(path[1:], path)
        await world.poll(path[1:])
        assert world.wait(path[1:]) == minutes * MINUTE
    world.add("own", "/monday.xml", ignore_server_hints=True)
    await world.poll("own")
    assert world.wait("own") == 15 * MINUTE


async def test_row_16_429_with_seconds(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(429, headers={"Retry-After": "7200"}))
    world.add()
    await world.poll()
    assert world.wait() == 7200
    assert "Retry-After" in world.state().due_reason


@pytest.mark.parametrize("value", ["0", "-5", "soon", "", "1e9"])
async def test_row_16_a_useless_retry_after_is_as_none(server: FeedServer, world: World, value: str) -> None:
    server.on("/feed.xml", Reply(429, headers={"Retry-After": value}))
    world.add()
    await world.poll()
    assert HOUR <= world.wait() <= 2 * HOUR


async def test_row_16_nobody_is_waited_for_longer_than_two_days(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(429, headers={"Retry-After": "99999999"}))
    world.add()
    await world.poll()
    assert world.wait() == 2 * DAY


async def test_row_17_a_retry_after_date_is_relative_to_the_servers_date(server: FeedServer, world: World) -> None:
    skewed = world.now + HOUR
    headers = {"Date": formatdate(skewed, usegmt=True), "Retry-After": formatdate(skewed + 3000, usegmt=True)}
    server.on("/feed.xml", Reply(429, headers=headers))
    world.add()
    await world.poll()
    assert world.wait() == 3000


@pytest.mark.parametrize("status", [503, 403])
async def test_row_18_503_and_403_may_ask_to_wait_too(server: FeedServer, world: World, status: int) -> None:
    server.on("/feed.xml", Reply(status, headers={"Retry-After": "36000"}))
    world.add()
    await world.poll()
    assert world.wait() == 36000


async def test_row_19_one_429_pauses_the_whole_host_group(server: FeedServer) -> None:
    world = World(server, gap_s=0.0)
    server.on("/a.xml", Reply(429, headers={"Retry-After": "3000"}))
    server.on("/b.xml", Reply(200, BODY))
    world.add("a", "/a.xml", host_group="news.example")
    await world.poll("a")
    world.add("b", "/b.xml", host_group="news.example")
    world.add("c", "/b.xml", host_group="other.example")
    async with running(world):
        world.now += 2999
        await settled(world)
        assert [request.path for request in server.requests] == ["/a.xml", "/b.xml"], "only the other host's feed"
        world.now += 2
        await settled(world)
        assert sorted(request.path for request in server.hits("/b.xml")) == ["/b.xml", "/b.xml"]
    # A poller that takes over knows of the pause from the state.
    world.poller = world.restarted()
    server.requests.clear()
    world.now = START + 1
    feed = Subscription(id="d", url=server.url("/b.xml"), allow_private_network=True, host_group="news.example")
    a = Subscription(id="a", url=server.url("/a.xml"), allow_private_network=True, host_group="news.example")
    world.poller.own([HeldFeed(0, a, _first(world, "a")), HeldFeed(0, feed)])
    async with running(world):
        await settled(world)
        assert server.requests == []
    await world.fetcher.aclose()


async def test_row_20_errors_back_off_by_doubling_up_to_four_hours_and_later_a_day(
    server: FeedServer, world: World
) -> None:
    server.on("/feed.xml", conditional(lambda: busy_body))
    busy_body = busy(world, 200)
    world.add()
    for _ in range(4):
        await world.poll(after=10 * MINUTE)
    usual = world.wait()
    server.on("/feed.xml", Reply(500))
    gaps = []
    for _ in range(9):
        await world.poll_when_due()
        gaps.append(world.wait())
    assert all(1.9 < b / a < 2.1 for a, b in itertools.pairwise(gaps[:5]))
    assert gaps[0] < 2 * usual
    assert max(gaps[:6]) <= 4.5 * HOUR
    world.now += DAY
    for _ in range(2):
        await world.poll_when_due()
    assert 4.5 * HOUR < world.wait() <= 1.1 * DAY


async def test_row_20_429_without_a_word_backs_off_by_the_hour(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(429))
    world.add()
    gaps = []
    for _ in range(7):
        await (world.poll_when_due() if gaps else world.poll())
        gaps.append(world.wait() / HOUR)
    assert gaps == [1.5, 3.0, 6.0, 12.0, 24.0, 24.0, 24.0]


async def test_row_21_a_feed_is_never_given_up_silently(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(500))
    world.add()
    await world.poll()
    with structlog.testing.capture_logs() as logs:
        for _ in range(40):
            state = await world.poll_when_due()
    assert (state.health, round(world.wait() / DAY)) == ("DEAD", 1)
    told = [(log["health"], log["log_level"]) for log in logs if log["event"] == "feed_health"]
    assert told == [("ERROR", "warning"), ("DEAD", "warning")], "when it has lasted, and when it is given up nearly"
    assert "polled once a day" in state.health_reason
    server.on("/feed.xml", Reply(200, BODY))
    state = await world.poll_when_due()
    assert (state.health, state.error_count, len(world.titles)) == ("OK", 0, 2)
    assert world.wait() <= 4.5 * HOUR


async def test_row_21_a_feed_that_its_owner_gives_up_after_some_errors_is_still_probed(
    server: FeedServer, world: World
) -> None:
    server.on("/feed.xml", Reply(404))
    world.add(disable_after=3)
    waits = []
    for _ in range(3):
        await (world.poll_when_due() if waits else world.poll())
        waits.append(world.wait())
    assert waits[1] < DAY
    assert waits[2] >= 7 * DAY
    assert "disable_after" in world.state().due_reason
    server.on("/feed.xml", Reply(200, BODY))
    assert (await world.poll_when_due()).health == "OK"
    assert world.wait() <= 4.5 * HOUR


@pytest.mark.slow
async def test_row_22_a_hundred_feeds_of_one_interval_do_not_stay_in_step(server: FeedServer) -> None:
    world = World(server, draw=random.Random(7).random)
    server.on("/feed.xml", Reply(200, BODY))
    for n in range(100):
        world.add(f"f{n}")
        await world.poll(f"f{n}")
    gaps = [world.wait(f"f{n}") for n in range(100)]
    assert 0.15 < (max(gaps) - min(gaps)) / 900 < 0.21
    assert 880 < sum(gaps) / 100 < 920
    await world.fetcher.aclose()


@pytest.mark.slow
async def test_row_23_five_hundred_overdue_feeds_are_spread_over_ten_minutes(server: FeedServer) -> None:
    world = World(server, draw=random.Random(7).random)
    server.on("/feed.xml", conditional(lambda: BODY))
    late = FeedState(feed="x", last_attempt=START - 2 * HOUR, last_success=1.0, next_due=START - HOUR, polls=9)
    options = {"url": server.url(), "allow_private_network": True}
    feeds = [Subscription(id=f"f{n}", host_group=f"h{n}", **options) for n in range(500)]  # type: ignore[arg-type]
    states = [msgspec.structs.replace(late, feed=feed.id, url=feed.url, request=feed.request_hash) for feed in feeds]
    minutes = []
    async with running(world):
        world.poller.own(HeldFeed(0, feed, state) for feed, state in zip(feeds, states, strict=True))
        for _ in range(10):
            before = len(server.requests)
            world.now += MINUTE
            await settled(world)
            minutes.append(len(server.requests) - before)
    assert sum(minutes) == 500
    assert 25 < min(minutes) <= max(minutes) < 80
    await world.fetcher.aclose()


async def test_row_24_timers_survive_a_crash_even_in_the_middle_of_a_poll(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(200, BODY))
    feed = world.add()
    await world.poll()
    due = world.state().next_due
    world.now += 10
    world.poller = world.restarted()
    world.poller.own([HeldFeed(0, feed, world.store.states["a"], world.store.segments["a"])])
    assert world.poller._agenda.due("a") == due
    # The next poll is begun, noted, and the process dies in it: nobody asks again before the floor.
    world.now = due
    noted = len(world.store.history)
    await world.poll()
    crashed = world.store.history[noted]
    world.now += 1
    world.poller = world.restarted()
    world.poller.own([HeldFeed(0, feed, crashed, world.store.segments["a"])])
    assert world.poller._agenda.due("a") == due + 5 * MINUTE


async def test_row_25_the_interval_follows_the_feed(server: FeedServer, world: World) -> None:
    assert await steady(100) < 20 * MINUTE
    assert await steady(1) > 3 * HOUR
    assert 40 * MINUTE < await steady(24) < 80 * MINUTE
    assert await steady(1000) <= 6 * MINUTE


async def steady(a_day: int) -> float:
    """The interval in which a feed with evenly spread entries is polled after a week."""
    feed = Subscription(id="a", url="https://news.example/feed")
    state, now, seen = begin(None, feed), START, 0
    for _ in range(2000):
        count = int((now - START) * a_day / DAY)
        times = tuple(START + (n + 1) * DAY / a_day for n in range(seen, count))
        seen = count
        answer = PollAnswer(outcome="changed" if times else "not_modified", status=200, new_times=times, entries=20)
        state = after(state, feed, answer, now=now, draw=0.5, rules=ScheduleRules())
        if now > START + 7 * DAY:
            break
        now = state.next_due
    return state.next_due - now


async def test_row_25_a_feed_that_sleeps_for_a_month_is_asked_once_a_day(server: FeedServer, world: World) -> None:
    old = formatdate(world.now - 40 * DAY, usegmt=True)
    server.on("/feed.xml", conditional(lambda: rss("one story", dates=[old])))
    world.add()
    for _ in range(4):
        await world.poll(after=HOUR)
    assert world.wait() == DAY


async def test_row_25_two_minutes_only_for_a_feed_that_answers_304(server: FeedServer, world: World) -> None:
    feed = Subscription(id="a", url="https://news.example/feed", interval_min_s=120)
    state = begin(None, feed)
    many = tuple(START - n for n in range(2000))
    for _ in range(4):
        state = after(
            state,
            feed,
            PollAnswer(outcome="changed", status=200, new_times=many),
            now=START,
            draw=0.0,
            rules=ScheduleRules(),
        )
    assert state.next_due - START == 5 * MINUTE
    state = after(
        state, feed, PollAnswer(outcome="not_modified", status=304), now=START, draw=0.0, rules=ScheduleRules()
    )
    assert state.next_due - START == 2 * MINUTE


async def test_row_26_one_request_at_a_time_for_each_host_group(server: FeedServer) -> None:
    world = World(server, gap_s=0.0)
    for n in range(20):
        server.on(f"/{n}.xml", Reply(200, BODY, delay=0.005))
        world.add(f"f{n}", f"/{n}.xml")
    world.now += 10
    async with running(world):
        await settled(world, 20)
    assert (len(server.requests), server.most_in_flight) == (20, 1)
    await world.fetcher.aclose()


async def test_row_26_a_gap_between_two_requests_to_one_host(server: FeedServer) -> None:
    world = World(server, gap_s=5.0)
    server.on("/feed.xml", Reply(200, BODY))
    for n in range(3):
        world.add(f"f{n}")
    world.now += 10
    async with running(world):
        for hits in (1, 2, 3):
            await settled(world)
            assert len(server.requests) == hits
            world.now += 4.9
            await settled(world)
            assert len(server.requests) == hits
            world.now += 0.2
    await world.fetcher.aclose()


async def test_row_26_hosts_do_not_wait_for_each_other_but_there_is_a_limit_for_all(server: FeedServer) -> None:
    world = World(server, concurrency=4)
    server.on("/feed.xml", Reply(200, BODY, delay=0.02))
    for n in range(12):
        world.add(f"f{n}", host_group=f"h{n}")
    world.now += 10
    async with running(world):
        await settled(world, 12)
    assert (len(server.requests), server.most_in_flight) == (12, 4)
    await world.fetcher.aclose()


async def test_row_28_a_new_feed_costs_one_request(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", conditional(lambda: BODY))
    world.add()
    async with running(world):
        world.now += 1
        await settled(world, 1)
        await settled(world)
    assert len(server.requests) == 1
    assert world.titles == ["two story", "one story"]
    assert all(article.backfill for article in world.store.articles)


async def test_row_38_a_frozen_feed_is_told(server: FeedServer, world: World) -> None:
    # Twelve entries in a day, then the same document for ever behind a 200.
    frozen = busy(world, 12)
    server.on("/feed.xml", Reply(200, frozen))
    world.add()
    await world.poll()
    healths = []
    while world.now < START + 4 * DAY:
        healths.append((await world.poll_when_due()).health)
    assert healths[0] == "OK"
    assert healths[-1] == "STALE"
    assert "no new entry since 2026-03-02" in world.state().health_reason
    server.on("/feed.xml", Reply(200, rss("fresh story")))
    assert (await world.poll_when_due()).health == "OK"


async def test_row_38_a_stale_feed_that_says_304_for_ever_is_asked_once_a_day_without_validators(
    server: FeedServer, world: World
) -> None:
    """A cache in front of the feed knows its old document only by its ETag, and has it refreshed by nobody."""
    old, fresh = busy(world, 12), rss("fresh story")

    def cache(request: Request) -> Reply:
        return Reply(304) if request.header("If-None-Match") else Reply(200, behind, {"ETag": '"old"'})

    behind = old
    server.on("/feed.xml", cache)
    world.add()
    await world.poll()
    while world.now < START + 6 * DAY:
        await world.poll_when_due()
    stale_at = 2 * DAY  # twelve entries a day: 48 hours without one
    plain = [request for request in server.requests[1:] if request.header("If-None-Match") is None]
    assert world.state().health == "STALE"
    assert 3 <= len(plain) <= (6 * DAY - stale_at) / DAY + 1
    assert len(server.requests) > 20, "all others were conditional"
    behind = fresh
    while world.now < START + 7.5 * DAY:
        await world.poll_when_due()
    assert world.titles[-1] == "fresh story"
    assert world.state().health == "OK"


async def test_row_38_a_weekly_feed_is_not_called_stale_after_a_week(server: FeedServer, world: World) -> None:
    dates = [formatdate(world.now - week * 7 * DAY, usegmt=True) for week in range(6)]
    server.on("/feed.xml", Reply(200, rss(*(f"week{n} text" for n in range(6)), dates=dates)))
    world.add()
    await world.poll()
    assert (await world.poll(after=8 * DAY)).health == "OK"


async def test_row_64_every_poll_is_in_the_metrics(server: FeedServer, world: World) -> None:
    before = scrape()
    server.on("/feed.xml", [Reply(200, BODY, {"ETag": '"1"'}), Reply(304), Reply(503), Reply(200, rss("one changed"))])
    world.add("metric-feed")
    for _ in range(4):
        await world.poll("metric-feed", after=HOUR)
    told = {name: value - before.get(name, 0.0) for name, value in scrape().items()}
    assert told['summitry_feed_polls_total{outcome="changed"}'] == 2
    assert told['summitry_feed_polls_total{outcome="not_modified"}'] == 1
    assert told['summitry_feed_polls_total{outcome="server_error"}'] == 1
    assert told["summitry_feed_poll_duration_seconds_count"] == 4
    assert told['summitry_articles_total{result="new"}'] == 2
    assert told['summitry_articles_total{result="changed"}'] == 1
    assert told['summitry_feed_parses_total{mode="rss"}'] == 2
    assert scrape()['summitry_feed_last_success_timestamp_seconds{feed="metric-feed"}'] == world.now
    assert scrape()['summitry_feeds{state="OK"}'] >= 1
    state = world.state("metric-feed")
    counts = [(count.polls, count.not_modified, count.entries) for count in state.hours]
    assert counts == [(2, 1, 2), (2, 0, 0)]


async def test_row_64_a_feed_that_this_poller_does_not_hold_is_not_in_its_metrics(
    server: FeedServer, world: World
) -> None:
    server.on("/feed.xml", Reply(200, BODY))
    feed = world.add("passing-feed")
    await world.poll("passing-feed")
    name = 'summitry_feed_last_success_timestamp_seconds{feed="passing-feed"}'
    asked = scrape()[name]
    await world.poller.release([0])
    assert name not in scrape()
    world.poller.own([HeldFeed(0, feed, world.store.states["passing-feed"])])
    assert scrape()[name] == asked
    await world.poller.remove("passing-feed", 0)
    assert name not in scrape()


async def test_an_important_feed_says_whether_it_is_well(server: FeedServer, world: World) -> None:
    name = 'summitry_important_feed_ok{feed="dear"}'
    server.on("/feed.xml", Reply(404))
    world.add("dear", important=True)
    world.add("other")
    await world.poll("dear")
    assert scrape()[name] == 0
    assert 'summitry_important_feed_ok{feed="other"}' not in scrape()
    server.on("/feed.xml", Reply(200, BODY))
    assert (await world.poll_when_due("dear")).health == "OK"
    assert scrape()[name] == 1
    assert scrape()["summitry_last_article_timestamp_seconds"] == world.now
    dear = world.poller.held["dear"].feed
    world.poller.change(0, msgspec.structs.replace(dear, important=False))
    assert name not in scrape()
    world.poller.change(0, dear)
    assert scrape()[name] == 1
    await world.poller.release([0])
    assert name not in scrape()


async def test_a_refresh_has_a_cooldown_and_still_sends_validators(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", conditional(lambda: BODY))
    world.add()
    async with running(world):
        world.now += 1
        await settled(world, 1)
        assert not world.poller.refresh("a")
        world.now += 61
        assert world.poller.refresh("a")
        await settled(world, 2)
    assert server.requests[-1].header("If-None-Match") is not None


async def test_a_clock_that_is_set_back_keeps_no_feed_waiting(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", conditional(lambda: BODY))
    world.add()
    async with running(world):
        world.now += 1
        await settled(world, 1)
        wait = world.wait()
        world.now -= 86400
        await settled(world, 1)
        world.now += wait - 5
        await settled(world, 1)
        assert len(server.requests) == 1, "no earlier than before, either"
        world.now += 6
        await settled(world, 2)


def scrape() -> dict[str, float]:
    lines = generate_latest(metrics.REGISTRY).decode().splitlines()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")}


def _first(world: World, feed_id: str) -> FeedState:
    """The state after a feed's first poll."""
    state = world.store.states[feed_id]
    return msgspec.structs.replace(state, paused_until=START + 3000, next_due=START + 3000)


class running:  # noqa: N801  # reads as a word
    """The poller's own loop, under a clock that stands still."""

    def __init__(self, world: World) -> None:
        self._world, self._stop = world, asyncio.Event()

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._world.poller.run(self._stop))

    async def __aexit__(self, *exc: object) -> None:
        self._stop.set()
        await self._task


async def settled(world: World, requests: int = 0) -> None:
    """Let the poller do what it can at this time: until nothing runs, and so many requests were made in all."""
    async with asyncio.timeout(20):
        while True:
            world.poller._wake.set()
            for _ in range(5):
                await asyncio.sleep(0)
            if not world.poller._running and len(world.server.requests) >= requests:
                return
            await asyncio.sleep(0.002)

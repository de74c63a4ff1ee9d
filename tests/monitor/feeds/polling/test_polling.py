"""Test the pure parts of polling: hints, host groups, agenda, seen stories, subscriptions, partitions."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.pollers.feed_topics import feed_key, partition_of
from monitor.errors import DecodeError, FeedError, HttpError
from monitor.feeds.polling.agenda import Agenda
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.schedule import GONE_S, PollAnswer, ScheduleRules, after, begin, first_due
from monitor.feeds.subscriptions.host_groups import host_group
from monitor.feeds.subscriptions.subscription import Auth, SecretRef, Subscription
from monitor.http.addresses import AddressBook
from monitor.http.bodies import DEADLINE, LARGE, LargeBodyLimit, read_body
from monitor.http.caching import freshness, http_date, retry_after
from monitor.records import decode, encode

NOW = 1_772_000_000.0

headers = st.dictionaries(
    st.sampled_from(["cache-control", "age", "expires", "date", "retry-after"]), st.text(max_size=60), max_size=5
)


@given(headers)
def test_no_headers_make_a_hint_that_makes_no_sense(told: dict[str, str]) -> None:
    fresh, wait = freshness(told, NOW), retry_after(told, NOW)
    assert fresh is None or fresh >= 0
    assert wait is None or 0 < wait <= 48 * 3600


@pytest.mark.parametrize("text", ["", "0", "-1", "soon", "Mon, 99 Mar 2026 09:00:00 GMT", "Mon, 02 Mar 2026", "\x00"])
def test_what_is_no_http_date_is_none(text: str) -> None:
    assert http_date(text) is None


@pytest.mark.parametrize(
    ("url", "group"),
    [
        ("https://feeds.bbci.co.uk/news/rss.xml", "bbci.co.uk"),
        ("https://a.tumblr.com/rss", "tumblr.com"),
        ("https://b.tumblr.com/rss", "tumblr.com"),
        ("http://127.0.0.1:8080/feed", "127.0.0.1"),
        ("http://[2001:db8::1]/feed", "2001:db8::1"),
        ("http://localhost/feed", "localhost"),
        ("https://news.example./feed", "news.example"),
        ("https://xn--e1afmkfd.xn--p1ai/rss", "xn--e1afmkfd.xn--p1ai"),
        ("https://пример.рф/rss", "xn--e1afmkfd.xn--p1ai"),
    ],
)
def test_a_host_group_is_the_registrable_domain(url: str, group: str) -> None:
    assert host_group(url) == group


puts = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.integers(0, 50)), max_size=30)


@given(puts, st.sets(st.integers(0, 9), max_size=4), st.lists(st.integers(1, 9), min_size=5, max_size=5))
def test_the_agenda_gives_each_feed_when_it_is_due_and_never_two_of_one_group(
    puts: list[tuple[int, int, int]], removed: set[int], durations: list[int]
) -> None:
    agenda, due, group_of = Agenda(gap_s=2.0), {}, {}
    for feed, group, at in puts:
        agenda.put(f"f{feed}", f"g{group}", at)
        due[f"f{feed}"], group_of[f"f{feed}"] = at, f"g{group}"
    for feed in removed:
        agenda.remove(f"f{feed}")
        due.pop(f"f{feed}", None)
    ends: dict[str, int] = {}
    free_at: dict[str, int] = {}
    for now in range(500):
        for group in [group for group, end in ends.items() if end == now]:
            del ends[group]
            agenda.release(group, now)
            free_at[group] = now + 2
        while (taken := agenda.take(now)) is not None:
            group = group_of[taken]
            assert group not in ends
            assert free_at.get(group, 0) <= now
            assert due[taken] <= now
            assert due[taken] == min(at for feed, at in due.items() if group_of[feed] == group)
            del due[taken]
            ends[group] = now + durations[now % 5]
    assert not due
    assert len(agenda) == 0
    assert agenda.next_turn() is None


outcomes = st.builds(
    PollAnswer,
    outcome=st.sampled_from(["changed", "unchanged", "not_modified", "failed"]),
    status=st.sampled_from([0, 200, 304, 403, 404, 410, 429, 500]),
    reason=st.sampled_from(["timeout", "forbidden", "gone", "throttled"]),
    fresh_s=st.none() | st.floats(0, 1e9),
    retry_after_s=st.none() | st.floats(1, 172_800),
    document_hint_s=st.none() | st.floats(0, 1e7),
    new=st.integers(0, 5),
    new_times=st.lists(st.floats(0, NOW), max_size=5).map(tuple),
)


@given(st.lists(st.tuples(outcomes, st.floats(0, 1), st.floats(-7 * 86400, 3 * 86400)), max_size=40))
@pytest.mark.slow
def test_whatever_a_feed_answers_it_is_asked_again_neither_too_soon_nor_never(
    told: list[tuple[PollAnswer, float, float]],
) -> None:
    feed, now = Subscription(id="a", url="https://news.example/feed"), NOW
    state = begin(None, feed)
    for answer, draw, late in told:
        state = after(state, feed, answer, now=now, draw=draw, rules=ScheduleRules())
        assert 299 <= state.next_due - now <= 7.8 * 86400
        assert state.due_reason
        assert state.health == "OK" or state.health_reason
        assert decode(FeedState, encode(state)) == state
        now = state.next_due + late


@pytest.mark.parametrize(
    "mistake",
    [
        {"id": "with space"}, {"id": ""}, {"url": "ftp://x.example/"}, {"url": "https:///feed"},
        {"url": "https://x.example/a b"}, {"url": "https://u:p@x.example/"}, {"interval_s": 60}, {"interval_min_s": 5},
        {"interval_min_s": 900, "interval_max_s": 600}, {"headers": {"Host": "x"}}, {"headers": {"X": "a\nb"}},
        {"user_agent": "a\r\nX: b"}, {"guid_strip_regex": "("}, {"ports": [0]}, {"timeout_s": -1}, {"auth": {}},
        {"cookie": {}}, {"cookie": {"file": "a", "env": "B"}}, {"auth": {"user": "x", "password": "plain text"}},
    ],
)  # fmt: skip
def test_a_subscription_with_a_mistake_is_refused(mistake: dict[str, object]) -> None:
    values = {"id": "a", "url": "https://x.example/feed", **mistake}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(values, Subscription)


def test_the_request_hash_follows_what_changes_a_request_and_nothing_else() -> None:
    feed = Subscription(id="a", url="https://x.example/feed")
    for change in (
        {"url": "https://x.example/other"}, {"user_agent": "x"}, {"accept": "x"}, {"headers": {"X": "1"}},
        {"cookie": SecretRef(env="A")}, {"auth": Auth(bearer=SecretRef(env="A"))}, {"proxy": "http://p.example"},
    ):  # fmt: skip
        assert msgspec.structs.replace(feed, **change).request_hash != feed.request_hash
    assert msgspec.structs.replace(feed, notes="x", enabled=False, interval_s=900).request_hash == feed.request_hash


def test_feeds_of_a_host_lie_on_one_partition_with_their_states() -> None:
    one = Subscription(id="one", url="https://a.news.example/1")
    two = Subscription(id="two", url="https://b.news.example/2")
    assert partition_of(one.group, 8) == partition_of(two.group, 8)
    assert feed_key(one) != feed_key(two)
    assert {partition_of(f"h{n}.example", 8) for n in range(200)} == set(range(8))


async def test_names_are_looked_up_once_a_minute_and_failures_every_half() -> None:
    now, asked = 0.0, []

    def lookup(host: str, port: int) -> list[str]:
        asked.append(host)
        if host == "gone.example":
            raise OSError("no such host")
        return ["8.8.8.8", "8.8.8.8"]

    book = AddressBook(lookup=lookup, monotonic=lambda: now)
    for moment in (0.0, 29.0, 59.0):
        now = moment
        assert await book.addresses("news.example", 80) == ("8.8.8.8",)
        with pytest.raises((FeedError, HttpError), match="can't be found"):
            await book.addresses("gone.example", 80)
    assert (asked.count("news.example"), asked.count("gone.example")) == (1, 2)
    now = 61.0
    await book.addresses("news.example", 80)
    assert asked.count("news.example") == 2
    book.close()


@given(st.lists(st.binary(max_size=200), max_size=10), st.sampled_from(["", "gzip", "x-gzip", "identity"]))
async def test_arbitrary_bytes_are_read_or_refused_by_name(chunks: list[bytes], coding: str) -> None:
    async def source():
        for chunk in chunks:
            yield chunk

    reason, body = "", b""
    try:
        body = (await read_body(source(), coding, 1000, 1000)).data
    except (FeedError, HttpError) as error:
        reason = error.reason
    assert len(body) <= 1000
    assert reason in {"", "body_too_large", "bad_gzip", "decoded_too_large"}


@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_only_so_many_tasks_hold_large_bodies_at_a_time_and_each_keeps_its_place_until_it_ends(
    coding: str,
) -> None:
    limit, held, most = LargeBodyLimit(2), 0, 0
    body = bytes(LARGE + 1)
    chunk = gzip.compress(body) if coding else body

    async def source() -> AsyncIterator[bytes]:
        yield chunk

    async def poll() -> None:
        nonlocal held, most
        for _ in range(2):  # a second large body of the same task needs no second place
            assert await read_body(source(), coding, 1 << 22, 1 << 22, limit) == (body, False)
        held += 1
        most = max(most, held)
        await asyncio.sleep(0.01)
        held -= 1

    async def small() -> None:
        async def few() -> AsyncIterator[bytes]:
            yield b"few"

        await asyncio.sleep(0)
        assert await read_body(few(), "", 1 << 22, 1 << 22, limit) == (b"few", False)
        assert held > 0, "it did not wait for the large ones"

    await asyncio.gather(*(poll() for _ in range(6)))
    assert most == 2
    await asyncio.gather(poll(), poll(), poll(), _after(lambda: held > 0, small))


async def test_waiting_for_a_place_does_not_count_towards_the_deadline_of_a_fetch() -> None:
    limit, free = LargeBodyLimit(1), asyncio.Event()

    async def first() -> None:
        await limit.take()
        await free.wait()

    async def second() -> float:
        async with asyncio.timeout(0.2) as deadline:
            DEADLINE.set(deadline)
            await limit.take()
            left = deadline.when()
            assert left is not None
            return left - asyncio.get_running_loop().time()

    holder, waiter = asyncio.create_task(first()), asyncio.create_task(second())
    await asyncio.sleep(0.5)  # longer than the deadline
    assert not waiter.done()
    free.set()
    assert 0 < await waiter <= 0.2
    await holder


async def _after(holds: Callable[[], bool], then: Callable[[], Awaitable[None]]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # a number that other tasks change
            await asyncio.sleep(0)
    await then()


def test_a_state_from_a_clock_that_ran_ahead_keeps_nobody_waiting() -> None:
    """The machine's clock was years ahead when the state was written; now it is right again."""
    feed, now, ahead = Subscription(id="f", url="https://f.example/"), 1.7e9, 4e9
    for name in ("next_due", "last_attempt", "paused_until"):
        state = FeedState(feed="f", url=feed.url, **{"last_attempt": 1.0, "request": feed.request_hash, name: ahead})
        due = first_due(state, feed, now=now, draw=0.5, crowd=1, rules=ScheduleRules())
        assert now <= due <= now + GONE_S, name


@pytest.mark.parametrize("seconds", ["1e308", "-1e308", "253402300800"])
@pytest.mark.parametrize("name", ["next_due", "last_success", "newest", "push_until"])
def test_a_state_with_a_time_that_no_calendar_has_is_none(name: str, seconds: str) -> None:
    with pytest.raises(DecodeError):
        decode(FeedState, f'{{"feed": "a", "{name}": {seconds}}}')

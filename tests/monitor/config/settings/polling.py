"""Cases for the keys of `poller`, `feeds`, `watchlist` and `detection`, up to the mentions of an article."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from agents.cli.connect import people_of
from agents.pollers.group import make_fetcher, make_poller, make_push, with_defaults
from agents.worker import ready_detector
from monitor.config import Config
from monitor.errors import HttpError
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.fetch import FetchResult
from monitor.feeds.polling.held_feeds import HeldFeed
from monitor.feeds.polling.poll_store import MemoryPollStore
from monitor.feeds.subscriptions.catalogue import load_feeds
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.notify import Policy
from monitor.notify.policy.decision import decide
from monitor.records import Article
from tests.feedserver import FeedServer, Reply
from tests.monitor.config.settings.case import Case, case
from tests.monitor.notify.samples import NOW, event, run_virtual

_BODY = b"<rss>" + b" " * 5000 + b"</rss>"


class _Outlet:
    """Answers every poll with 304 after `takes` seconds, and notes when polls began and how many ran at once."""

    def __init__(self, takes: float = 0.0) -> None:
        self._takes = takes
        self.began: list[float] = []
        self.running = self.most = 0

    async def get(self, feed: Subscription, *, url: str = "", etag: str = "", last_modified: str = "") -> FetchResult:
        self.began.append(asyncio.get_running_loop().time())
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(self._takes)
        self.running -= 1
        return FetchResult(304, url or feed.url, {}, conditional=True)


class _NothingToRead:
    async def read(self, *_: object) -> Any:
        raise AssertionError("a 304 has no document")


class _NobodyToAsk:
    async def post(self, *_: object) -> Any:
        raise AssertionError("no hub is asked")


def polled(config: Config, outlet: _Outlet, *hosts: str, seconds: float) -> MemoryPollStore:
    """Poll a known feed at each of the hosts, all due at once, for so many seconds of a clock that jumps."""
    store = MemoryPollStore()
    feeds = [Subscription(id=f"feed-{n}", url=f"https://{host}/{n}") for n, host in enumerate(hosts)]

    async def run() -> None:
        loop = asyncio.get_running_loop()
        poller = make_poller(
            config.poller, store, outlet, _NothingToRead(), clock=lambda: NOW + timedelta(seconds=loop.time()),
            draw=lambda: 0.5,
        )  # fmt: skip
        now = NOW.timestamp()
        for feed in feeds:
            quiet = FeedState(
                feed=feed.id, url=feed.url, request=feed.request_hash, polls=9, etag='"a"', last_success=now - 86400,
                last_attempt=now - 86400, last_new=now - 86400, next_due=now,
            )  # fmt: skip
            poller.own([HeldFeed(0, feed, quiet)])
            poller.refresh(feed.id)
        stop = asyncio.Event()
        loop.call_later(seconds, stop.set)
        await poller.run(stop)

    run_virtual(run())
    return store


def at_once(config: Config) -> int:
    """Count the polls that run at once where six outlets are slow."""
    outlet = _Outlet(takes=10.0)
    polled(config, outlet, *(f"news{n}.example" for n in range(6)), seconds=60)
    return outlet.most


def gap(config: Config) -> int:
    """Give the seconds between two polls of one host."""
    outlet = _Outlet()
    polled(config, outlet, "news.example", "news.example", seconds=120)
    first, second = outlet.began[:2]
    return round(second - first)


def held_back(config: Config) -> float:
    """Give the seconds before which nobody repeats a poll that was begun."""
    begun = polled(config, _Outlet(), "news.example", seconds=1).history[0]
    return begun.next_due - begun.last_attempt


def longest(config: Config) -> float:
    """Give the seconds until a feed without news is asked again."""
    ended = polled(config, _Outlet(), "news.example", seconds=1).history[-1]
    return round(ended.next_due - ended.last_attempt)


def fetched(body: bytes = _BODY, hold: bool = False) -> Callable[[Config, FeedServer], Coroutine[Any, Any, str]]:
    """Make an outcome: how one GET of a loopback server ends. With `hold` the server keeps its answer to itself."""

    async def outcome(config: Config, server: FeedServer) -> str:
        released = asyncio.Event()

        async def wait(_: asyncio.StreamWriter) -> None:
            await released.wait()

        server.on("/feed.xml", Reply(200, body, raw=wait if hold else None))
        fetcher = make_fetcher(config.poller)
        try:
            await fetcher.get(Subscription(id="a", url=server.url("/feed.xml")))
        except HttpError as error:
            return str(error) if error.reason == "timeout" else error.reason
        finally:
            released.set()
            await fetcher.aclose()
        return server.requests[-1].header("user-agent") or ""

    return outcome


def whether(outcome: Callable[[Config, FeedServer], Coroutine[Any, Any, str]]) -> Callable[..., Any]:
    """Turn an outcome into `fetched` where it is no failure."""

    async def short(config: Config, server: FeedServer) -> str:
        found = await outcome(config, server)
        return "fetched" if found.startswith("Summitry") else found

    return short


def named(outcome: Callable[[Config, FeedServer], Coroutine[Any, Any, str]]) -> Callable[..., Any]:
    """Turn an outcome into which of two contacts the user agent names."""

    async def contact(config: Config, server: FeedServer) -> list[str]:
        agent = await outcome(config, server)
        return [name for name in ("ada@example.org", "https://bob.example") if name in agent]

    return contact


def subscribed(what: str) -> Callable[[Config], Any]:
    """Make an outcome: one option of a feed whose own list says nothing of it."""
    return lambda config: getattr(
        with_defaults(Subscription(id="a", url="https://a.example/"), config=config.poller), what
    )


def callback(config: Config) -> str | None:
    """Give the path at which hubs are answered."""
    push = make_push(config.poller, _NobodyToAsk(), lambda: NOW)
    return push.routes(lambda *_: True)[0].path if push else None


def told(confidence: float) -> Callable[[Config], str | None]:
    """Make an outcome: what is told first of an event of such confidence."""
    return lambda config: decide(Policy.of(config), "console", event(confidence=confidence), None, NOW).tell


def understood(config: Config) -> list[str]:
    """Give the languages of two articles in which a meeting is found."""
    detector = ready_detector(people_of(config), config.detection)
    gc.unfreeze()  # it is for a whole process
    texts = {
        "en": "Ronald Reagan met Mikhail Gorbachev in Geneva on Tuesday",
        "de": "Ronald Reagan traf am Dienstag in Genf Michail Gorbatschow",
    }
    day = datetime(1985, 11, 20, tzinfo=UTC)
    return [
        language
        for language, text in texts.items()
        if detector.detect(Article(id=language, title=text, language=language, published=day))
    ]


_OWN = {"poller.allow_private_networks": ["127.0.0.0/8"]}

ROWS: tuple[Case, ...] = (
    case("poller.concurrency", at_once, (2, 2), (4, 4)),
    case("poller.host_gap", gap, ("10s", 10), ("1m", 60)),
    case("poller.floor", held_back, ("5m", 300.0), ("20m", 1200.0)),
    case("poller.ceiling", longest, ("2h", 7200), ("3h", 10800)),
    case("poller.timeout", fetched(hold=True), (0.05, "no complete answer within 0.05 s"),
         (0.1, "no complete answer within 0.1 s"), given=_OWN, server=FeedServer),
    case("poller.max_bytes", whether(fetched()), (100_000, "fetched"), (1000, "body_too_large"), given=_OWN,
         server=FeedServer),
    case("poller.allow_private_networks", whether(fetched()), ([], "address_refused"), (["127.0.0.0/8"], "fetched"),
         server=FeedServer),
    case("poller.contact", named(fetched()), ("ada@example.org", ["ada@example.org"]),
         ("https://bob.example", ["https://bob.example"]), given=_OWN, server=FeedServer),
    case("poller.full_text", subscribed("full_text"), (False, ""), (True, "auto")),
    case("poller.respect_robots", subscribed("respect_robots"), (False, False), (True, True)),
    case("poller.websub_callback", callback, (None, None), ("https://a.example/hubs", "/hubs/{token}")),
    case("detection.alert_threshold", told(0.6), (0.5, "first"), (0.7, None)),
    case("detection.languages", understood, ([], ["en", "de"]), (["de"], ["de"]),
         given={"watchlist": "people.yaml"}, slow=True),
    case("watchlist", lambda config: sorted(people_of(config).leaders), ("people.yaml", ["mikhail-gorbachev",
         "ronald-reagan"]), ("person.yaml", ["ronald-reagan"])),
    case("feeds", lambda config: [feed.url for feed in load_feeds(config.feeds)],
         (["https://a.example/feed"], ["https://a.example/feed"]), (["own.opml"], ["https://b.example/feed"])),
)  # fmt: skip

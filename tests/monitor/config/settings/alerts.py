"""Cases for the keys of `alerts`, and for `board.url`, to which alerts link."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from agents.notify import silent_feeds
from monitor.config import Acknowledge, Config, Secret
from monitor.kafka import BrokerSettings
from monitor.notify import AckLinks, Notifier, Policy
from monitor.notify.messages.wording import words_of
from monitor.notify.policy.decision import decide
from monitor.notify.receivers.fake import FakeReceiver
from monitor.notify.replies.ack import AckRefusedError
from tests.monitor.config.settings.case import OMITTED, Case, case
from tests.monitor.config.settings.engine import Run, setup_of
from tests.monitor.config.settings.rules import first, section
from tests.monitor.notify.samples import BEIJING, NOW, event, run_virtual, virtual_clock


def update_due(config: Config) -> float | None:
    """Give the seconds that a change waits for others."""
    decision = decide(Policy.of(config), "console", event(2, place=BEIJING), event(1), NOW, told_route="route-0")
    return (decision.due - NOW).total_seconds() if decision.due else None


def together(config: Config) -> list[tuple[float, int]]:
    """Give when the messages about five events were sent, in minutes, and how many events each was about."""
    desk = Run(config, *(event(event_id=f"ev-{n}") for n in range(5)), hours=2).desk
    pairs = zip(desk.taken_at, desk.messages, strict=True)
    return [(round(seconds / 60), max(1, len(message.items))) for seconds, message in pairs]


class _Still:
    """A consumer of topics to which nothing is added."""

    async def end_offsets(self, partitions: list[Any]) -> dict[Any, int]:
        return dict.fromkeys(partitions, 7)


@asynccontextmanager
async def _still(_: BrokerSettings) -> AsyncIterator[_Still]:
    yield _Still()


async def _one_partition(*_: object) -> list[int]:
    return [0]


def alarms(config: Config) -> dict[str, list[int]]:
    """Give whom the stage tells, and after how many minutes, that no article came in two hours."""
    desks = {name: FakeReceiver() for name in config.receivers}

    async def run() -> None:
        notifier = Notifier(replace(setup_of(config), receivers=desks))
        notifier.start()
        settings = config.alerts.heartbeat
        if settings:
            watching = asyncio.create_task(
                silent_feeds.watch(settings, BrokerSettings(servers=()), "articles", notifier, words=words_of(config),
                                   clock=virtual_clock, speaks=lambda: True)
            )  # fmt: skip
            await asyncio.sleep(7200)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        await notifier.stop()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(silent_feeds, "consumer", _still)
        patched.setattr(silent_feeds, "partitions_of", _one_partition)
        run_virtual(run())
    return {name: [round(at / 60) for at in desk.taken_at] for name, desk in desks.items() if desk.taken_at}


def link(what: Callable[[str], object]) -> Callable[[Config], object]:
    """Make an outcome: something of the link with which a reader says that an event was seen."""

    def outcome(config: Config) -> object:
        links = setup_of(config).ack_links
        return what(links.link("ev-1", NOW)) if links else None

    return outcome


def valid_for(address: str) -> timedelta:
    """Give how long a link is good."""
    return timedelta(seconds=int(parse_qs(urlsplit(address).query)["until"][0]) - NOW.timestamp())


def good(config: Config) -> bool:
    """Say whether a link is good that was signed with the secret of the first value below."""
    theirs = AckLinks(Acknowledge(url="https://a.example", secret=Secret(_SECRET))).link("ev-1", NOW)
    carried = parse_qs(urlsplit(theirs).query)
    links = setup_of(config).ack_links
    assert links
    try:
        links.check("ev-1", carried["until"][0], carried["sig"][0], NOW)
    except AckRefusedError:
        return False
    return True


def headline(config: Config) -> str:
    """Give what the console calls the list of sources."""
    return words_of(config)["console"].label["sources"]


def forgotten(config: Config) -> int:
    """Count the records that are deleted two hours after an event was told and closed."""
    return Run(config, event(1), event(2, closed=True), hours=2).forgotten


def tries(config: Config) -> list[int]:
    """Give the minutes at which a message was tried on a receiver that is down."""
    run = Run(config, event(), hours=24, down=True)
    return [round(seconds / 60) for seconds in run.tried]


def page(config: Config) -> str:
    """Give the address of the event's page in its message."""
    (message,) = Run(config, event(), hours=1).desk.messages
    return message.page


_SECRET = "0123456789abcdef"
_ACK = section("alerts.acknowledge", url="https://a.example", secret=_SECRET)
_BEAT = section("alerts.heartbeat", receivers=["console"], after="30m")
_STORM = section("alerts.storm", limit=2, per="10m")
_KAFKA = section("receivers.kafka", topic="alerts")

ROWS: tuple[Case, ...] = (
    case("alerts.max_age", first("reason", last_seen=NOW - timedelta(hours=30)), ("1d", "too_old"), ("2d", "first")),
    case("alerts.update_wait", update_due, ("5s", 5.0), ("1m", 60.0)),
    case("alerts.storm", together, (None, [(0, 1)] * 5), ({"limit": 1, "per": "10m"}, [(0, 1), (10, 4)])),
    case("alerts.storm.limit", together, (2, [(0, 1), (0, 1), (10, 3)]), (3, [(0, 1), (0, 1), (0, 1), (10, 2)]),
         given=_STORM),
    case("alerts.storm.per", together, ("10m", [(0, 1), (0, 1), (10, 3)]), ("20m", [(0, 1), (0, 1), (20, 3)]),
         given=_STORM),
    case("alerts.heartbeat", alarms, (OMITTED, {}), ({"receivers": ["console"]}, {"console": [30]})),
    case("alerts.heartbeat.receivers", alarms, (["console"], {"console": [30]}), (["kafka"], {"kafka": [30]}),
         given={**_BEAT, **_KAFKA}),
    case("alerts.heartbeat.after", alarms, ("30m", {"console": [30]}), ("1h", {"console": [60]}), given=_BEAT),
    case("alerts.acknowledge", link(bool), (OMITTED, None),
         ({"url": "https://a.example", "secret": _SECRET}, True)),
    case("alerts.acknowledge.url", link(lambda address: urlsplit(address).netloc), ("https://a.example", "a.example"),
         ("https://b.example", "b.example"), given=_ACK),
    case("alerts.acknowledge.secret", good, (_SECRET, True), (_SECRET[::-1], False), given=_ACK),
    case("alerts.acknowledge.valid", link(valid_for), ("1d", timedelta(days=1)), ("2d", timedelta(days=2)),
         given=_ACK),
    case("alerts.templates", headline, (OMITTED, "Sources"), ("templates", "Told by")),
    case("alerts.remember", forgotten, ("1h", 1), ("3h", 0), given={"alerts.max_age": "1h"}),
    case("alerts.retries", tries, (["10m"], [0, 10]), (["10m", "1h"], [0, 10, 70])),
    case("board.url", page, (OMITTED, ""), ("https://board.example", "https://board.example/events/ev-1")),
)  # fmt: skip

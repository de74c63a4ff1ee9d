"""Provide invented sample events, and the parts of a notifier for tests."""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from monitor.config import Route
from monitor.notify import Delivery, MemoryLog, Notifier, NotifierSetup, Pending, Policy
from monitor.notify.delivery import work_queue
from monitor.notify.messages.compose import Message, compose
from monitor.notify.messages.wording import wording
from monitor.notify.receivers.base import Receiver
from monitor.records import Event, EventSource, Participant, Place, When

NOW = datetime(2026, 2, 4, 12, 0, tzinfo=UTC)
PUTIN = Participant(leader="vladimir-putin", name="Vladimir Putin", country="RU", office="President")
XI = Participant(leader="xi-jinping", name="Xi Jinping", country="CN", office="President")
BEIJING = Place(name="Beijing", country="CN")


def sources(
    count: int, outlet: str = "Sample Outlet", title: str = "Sample: leaders speak by video"
) -> tuple[EventSource, ...]:
    return tuple(
        EventSource(
            n=number,
            article_id=f"article-{number}",
            url=f"https://news{number}.example.org/world/{number}",
            outlet=f"{outlet} {number}",
            publisher=f"Publisher {number}",
            report=number,
            published=NOW,
            title=title,
            language="en",
        )
        for number in range(1, count + 1)
    )


def event(revision: int = 1, **changes: Any) -> Event:
    publishers = changes.get("publishers", 2)
    values: dict[str, Any] = {
        "event_id": "ev-1",
        "revision": revision,
        "participants": (PUTIN, XI),
        "kind": "call",
        "medium": "video",
        "status": "held",
        "when": When(start=date(2026, 2, 4), end=date(2026, 2, 4), text="Wednesday"),
        "sources": sources(publishers),
        "publishers": publishers,
        "reports": publishers,
        "confidence": 0.9,
        "first_seen": NOW,
        "last_seen": NOW,
        "brief": "Vladimir Putin and Xi Jinping held a video call on 4 February 2026 [1][2].",
    }
    return Event(**{**values, **changes})


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer when nothing else is to do: hours pass in milliseconds."""

    def __init__(self) -> None:
        super().__init__(_JumpingSelector(self))
        self.virtual = 0.0

    def time(self) -> float:
        return self.virtual


class _JumpingSelector(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout:
            self._loop.virtual += timeout
        return ready


def run_virtual(main: Coroutine[Any, Any, None]) -> None:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=VirtualLoop) as runner:
        patch.setattr(work_queue, "_LONGEST_SLEEP", 3_600.0)  # nobody sets this clock, and three days are soon over
        runner.run(main)


def virtual(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run an async test in virtual time."""

    @functools.wraps(test)
    def run(**given: object) -> None:
        run_virtual(test(**given))

    return run


def virtual_clock() -> datetime:
    return NOW + timedelta(seconds=asyncio.get_running_loop().time())


class Graveyard:
    """Dead letters for tests."""

    def __init__(self) -> None:
        self.letters: list[tuple[Delivery, Pending, str]] = []

    async def give_up(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        self.letters.append((delivery, pending, reason))


def policy(*routes: Route, receivers: tuple[str, ...] = ("desk",), **changes: Any) -> Policy:
    values: dict[str, Any] = {
        "routes": routes or (Route(name="all", receivers=receivers),),
        "min_confidence": 0.5,
        "max_age": timedelta(hours=24),
        "update_wait": timedelta(seconds=5),
    }
    return Policy(**{**values, **changes})


def engine(receivers: dict[str, Receiver], log: MemoryLog | None = None, **options: Any) -> Notifier:
    chosen = options.pop("policy", None) or policy(receivers=tuple(receivers))
    settings: dict[str, Any] = {
        "retries": tuple(timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200)),
        "dead_letters": Graveyard(),
        "clock": virtual_clock,
        "jitter": lambda: 0.5,
    }
    return Notifier(
        NotifierSetup(
            policy=chosen,
            receivers=receivers,
            log=log or MemoryLog(),
            **{"words": {name: wording() for name in receivers}, **settings, **options},
        )
    )


def message(
    tell: str = "first", told: Event | None = None, *, changed: tuple[str, ...] = (), **changes: Any
) -> Message:
    """A composed message about a sample event."""
    about = event(**changes)
    receiver = Delivery(receiver="desk", event_id=about.event_id, told=told, route="all")
    pending = Pending(event=about, tell=tell, reason=tell, changed=changed, route="all", since=NOW, due=NOW)  # type: ignore[arg-type]
    return compose(wording(), policy(), receiver, pending)

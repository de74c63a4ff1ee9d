"""Build a worker's notifier from a configuration, with receivers and log in memory and a clock that can be moved."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from agents.notify import NotifyStage
from agents.stream.outbox import MemoryOutbox
from agents.stream.topics import TopicNames
from monitor.config import Config
from monitor.kafka import BrokerSettings
from monitor.notify import MemoryLog, Notifier
from monitor.notify.delivery.setup import NotifierSetup, owns_all
from monitor.notify.receivers.fake import FakeReceiver
from monitor.records import Event
from tests.monitor.notify.samples import Graveyard, run_virtual, virtual_clock


def setup_of(config: Config) -> NotifierSetup:
    """Give what the notify stage hands to its engine, with the parts that reach a broker or a receiver replaced."""
    stage = NotifyStage(config, BrokerSettings(servers=()), TopicNames("test"), MemoryOutbox(), virtual_clock)
    return replace(
        stage.notifier._setup,  # what the stage makes of the configuration is what is looked at
        receivers={name: FakeReceiver() for name in config.receivers},
        log=MemoryLog(),
        dead_letters=Graveyard(),
        owns=owns_all,
        clock=virtual_clock,
        jitter=lambda: 0.5,
    )


class Run:
    """One run of the engine: what it sent to the console, and how many records it deleted at the end."""

    def __init__(self, config: Config, *events: Event, hours: float, down: bool = False) -> None:
        self.desk = FakeReceiver()
        self.tried: list[float] = []
        self.forgotten = 0
        self._events, self._seconds = events, hours * 3600
        if down:
            self.desk.down = self._refuse
        run_virtual(self._run(replace(setup_of(config), receivers={"console": self.desk})))

    def _refuse(self) -> bool:
        self.tried.append(asyncio.get_running_loop().time())
        return True

    async def _run(self, setup: NotifierSetup) -> None:
        notifier = Notifier(setup)
        notifier.start()
        try:
            await notifier.assign(0, [])
            for event in self._events:
                await notifier.accept(event)
            await asyncio.sleep(self._seconds)
            self.forgotten = await notifier.tidy()
        finally:
            await notifier.stop()


def tells(config: Config, *events: Event, hours: float) -> list[tuple[str, float]]:
    """Give how the console was told of some events, with the minutes after the beginning."""
    desk = Run(config, *events, hours=hours).desk
    return [(tell, round(seconds / 60, 1)) for tell, seconds in zip(desk.tells(), desk.taken_at, strict=True)]

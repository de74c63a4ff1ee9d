"""Run a poller as a process, for tests that kill it. Arguments: URL PREFIX NAME [GROUP].

NAME is its contact, which every request shows.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from dataclasses import dataclass
from datetime import timedelta

import structlog

from agents.pollers.group import joined
from agents.stream.topics import TopicNames
from monitor.config import PollerSettings
from monitor.kafka import BrokerSettings


@dataclass(frozen=True)
class Names(TopicNames):
    """The usual names, with another consumer group if one is given."""

    group_name: str = ""

    @property
    def poller_group(self) -> str:
        return self.group_name or super().poller_group


async def main(url: str, prefix: str, name: str, group: str = "") -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    names, stop = Names(prefix, group), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = PollerSettings(contact=name, host_gap=timedelta(seconds=0.1))
    async with joined(BrokerSettings.from_url(url), settings, names) as member:
        await member.run(stop)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

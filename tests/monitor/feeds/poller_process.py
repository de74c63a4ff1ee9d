"""A poller as a process, for tests that kill it. Arguments: URL PREFIX NAME [GROUP].

NAME is its contact, which every request shows.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from datetime import timedelta

import structlog

from agents.pollers.group import run_poller
from agents.stream.topics import TopicNames
from monitor.config import PollerSettings
from monitor.kafka import BrokerSettings


async def main(url: str, prefix: str, name: str, group: str = "") -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    names, stop = TopicNames(prefix), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await run_poller(
        BrokerSettings.from_url(url),
        PollerSettings(contact=name, host_gap=timedelta(seconds=0.1)),
        stop,
        feeds=names.feeds,
        state=names.feed_state,
        articles=names.articles,
        group=group or names.poller_group,
    )


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

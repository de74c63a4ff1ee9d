"""Run the real poller and report how long its event loop was blocked. Arguments: URL PREFIX.

The processor time of the loop's thread between two turns is measured, so that other processes do not count.
`rebind.example` changes its address at each look, `metadata.example` is the metadata service's.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
import time
from datetime import timedelta
from itertools import cycle

import structlog

from agents.pollers.group import joined
from agents.stream.topics import TopicNames
from monitor.config import PollerSettings
from monitor.http import addresses
from monitor.kafka import BrokerSettings

REBINDING = cycle(["127.0.0.2", "127.0.0.1"])
look_up = addresses._getaddrinfo


def lookup(host: str, port: int) -> list[str]:
    if host == "rebind.example":
        return [next(REBINDING)]
    return ["169.254.169.254"] if host == "metadata.example" else look_up(host, port)


async def main(url: str, prefix: str) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    stop, most = asyncio.Event(), 0.0
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    addresses._getaddrinfo, addresses.POSITIVE_S = lookup, 0.0
    settings = PollerSettings(host_gap=timedelta(seconds=0.1), allow_private_networks=("127.0.0.2",))
    async with joined(BrokerSettings.from_url(url), settings, TopicNames(prefix)) as member:
        polling = asyncio.create_task(member.run(stop))
        await member.ready.wait()
        while not polling.done():
            before = time.thread_time()
            await asyncio.sleep(0.001)
            most = max(most, time.thread_time() - before)
        await polling
    sys.stdout.write(json.dumps({"most": most}))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

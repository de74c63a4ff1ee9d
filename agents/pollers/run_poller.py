"""The poller process: feeds to articles, with health and metrics."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Iterable

from agents.pollers.group import run_poller
from agents.pollers.network import Network
from agents.process.health import Lag, watch_lag
from agents.process.startup import start_up
from agents.process.web import make_web, serving
from agents.stream.topics import TopicNames
from monitor.clock import service_clock
from monitor.config import Config
from monitor.feeds.polling.websub import WebSub
from monitor.jobs import start_job
from monitor.kafka import BrokerSettings, consumer


class _Readiness:
    def __init__(self, ready: asyncio.Event) -> None:
        self._ready = ready

    def not_ready(self) -> Iterable[str]:
        """Say that it is not ready, until the group has given this process partitions and they are read."""
        if not self._ready.is_set():
            yield "no partitions assigned and read yet"

    def not_live(self) -> Iterable[str]:
        """Name no reason to end the process: a poller that hangs misses its heartbeat, and feeds fail by themselves."""
        return ()


async def run(config: Config, broker: BrokerSettings, stop: asyncio.Event) -> None:
    """Poll until `stop` is set. Raises BrokerError when there is no broker or a topic is missing."""
    names = TopicNames(config.topics.prefix)
    port = await start_up(config, broker, config.web.poller_port, stop, "poller")
    if stop.is_set():
        return
    ready = asyncio.Event()
    push = push_of(config)
    network, answers = Network(), Lag(())
    answers.assign(())
    application = make_web([_Readiness(ready), network, answers], push.routes() if push else ())
    async with serving(application, config.web.host, port), consumer(broker) as probe:
        start_job(network.watch(), "network")
        start_job(watch_lag(answers, probe), "broker")
        await run_poller(
            broker,
            config.poller,
            stop,
            feeds=names.feeds,
            state=names.feed_state,
            articles=names.articles,
            group=names.poller_group,
            dead_letters=names.dead_letters,
            ready=ready,
            push=push,
        )


def push_of(config: Config) -> WebSub | None:
    """Return what handles WebSub, None unless the configuration names an address at which hubs reach this process."""
    if not config.poller.websub_callback:
        return None
    clock = service_clock()
    draw = random.Random(secrets.randbits(64)).random  # noqa: S311  # spreads renewals, guards nothing
    return WebSub(config.poller.websub_callback, now=lambda: clock().timestamp(), draw=draw)

"""The poller process: polls feeds and publishes articles, with health and metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from agents.pollers.group import joined
from agents.pollers.network import NetworkCondition
from agents.process.health import Lag, watch_lag
from agents.process.startup import start_up
from agents.process.web import make_web, serving
from agents.stream.topics import TopicNames
from monitor.config import Config
from monitor.jobs import start_job
from monitor.kafka import BrokerSettings, consumer
from monitor.loop import return_unused_memory


class _Readiness:
    def __init__(self, ready: asyncio.Event) -> None:
        self._ready = ready

    def not_ready(self) -> Iterable[str]:
        """Yield a reason until partitions were assigned to this process and read."""
        if not self._ready.is_set():
            yield "no partitions assigned and read yet"

    def not_live(self) -> Iterable[str]:
        """Return nothing: the watchdog ends a poller that hangs, and failing feeds have their own health."""
        return ()


async def run(config: Config, broker: BrokerSettings, stop: asyncio.Event) -> None:
    """Poll until `stop` is set. Raises BrokerError when there is no broker or a topic is missing."""
    names = TopicNames(config.topics.prefix)
    port = await start_up(config, broker, config.web.poller_port, stop, "poller")
    if stop.is_set():
        return
    network, answers = NetworkCondition(), Lag(())
    answers.assign(())
    async with joined(broker, config.poller, names) as member:
        application = make_web([_Readiness(member.ready), network, answers], member.routes)
        async with serving(application, config.web.host, port), consumer(broker) as probe:
            start_job(network.watch(), "network")
            start_job(watch_lag(answers, probe), "broker")
            start_job(return_unused_memory(), "memory", forever=False)
            await member.run(stop)

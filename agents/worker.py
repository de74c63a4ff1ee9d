"""The worker process: the detect, assemble and notify agents in one Faust app, with health and metrics.

Any number of workers share the partitions. The mentions have one partition, so one worker assembles and the others
stand by; Kafka hands the partition on within seconds when that worker dies.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Collection, Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import faust
import structlog

from agents.assemble import AssembleStage
from agents.detect import CPU_LIMIT, DetectStage
from agents.notify import NotifyStage
from agents.process.config_names import with_ids
from agents.process.health import Lag, watch_lag
from agents.process.web import make_web, serving
from agents.store import KafkaStore
from agents.stream.app import add_agent, make_app
from agents.stream.guard import Guard
from agents.stream.outbox import KafkaOutbox
from agents.stream.topics import TopicNames, declare
from monitor.clock import service_clock
from monitor.config import Config
from monitor.detect import Detector, bundled_languages
from monitor.errors import BrokerError
from monitor.kafka import MAX_RECORD_BYTES, BrokerSettings, consumer, producer, wait_for_broker
from monitor.records import Article, Event, Mention, decode
from monitor.watchlist import Watchlist, bundled, load

logger = structlog.get_logger()

#: A day for the warm-up article; any day will do.
_WARM_UP = datetime(2026, 1, 1, tzinfo=UTC)


async def run_worker(config: Config, broker: BrokerSettings, stop: asyncio.Event) -> None:
    """Work until `stop` is set. Raises BrokerError when there is no broker or a topic is missing, and on a crash."""
    names = TopicNames(config.topics.prefix)
    clock = service_clock()
    await wait_for_broker(broker, config.broker.connect_timeout.total_seconds())
    await require_topics(broker, config)
    watchlist = load(config.watchlist) if config.watchlist else bundled()
    config = with_ids(config, watchlist, clock().date())
    detector = ready_detector(watchlist, config.detection.languages)
    async with AsyncExitStack() as stack:
        # One batch takes a whole step of the assembler's state.
        sender = await stack.enter_async_context(producer(broker, max_batch_size=MAX_RECORD_BYTES * 3 // 4))
        probe = await stack.enter_async_context(consumer(broker, group_id=names.group))
        outbox = KafkaOutbox(sender)
        lag = Lag([names.articles, names.mentions, names.events], clock)

        def guard(stage: str) -> Guard:
            return Guard(stage, outbox, names.dead_letters, clock=clock, progress=lag.handled)

        detect = DetectStage(detector.detect, outbox, names.mentions, CPU_LIMIT)
        assemble = AssembleStage(KafkaStore(broker, names.assembly, sender), outbox, names.events, clock)
        notify = NotifyStage(config, broker, names, outbox, clock)
        await stack.enter_async_context(notify.running())
        app = make_app(names, broker)
        add_agent(app, names.articles, guard("detect"), lambda data: decode(Article, data), detect.handle)
        add_agent(app, names.mentions, guard("assemble"), lambda data: decode(Mention, data), assemble.handle)
        add_agent(app, names.events, guard("notify"), lambda data: decode(Event, data), notify.handle)

        async def on_assigned(*arguments: Any, **_: object) -> None:  # noqa: ANN401  # Faust's signals
            partitions = sorted((tp.topic, tp.partition) for tp in arguments[1])
            logger.info("assigned", partitions=[f"{topic}:{number}" for topic, number in partitions])
            await assemble.assign({number for topic, number in partitions if topic == names.mentions})
            notify.assign({number for topic, number in partitions if topic == names.events})
            lag.assign(partitions)

        async def on_revoked(*arguments: Any, **_: object) -> None:  # noqa: ANN401  # Faust's signals
            await assemble.assign(set())
            await notify.revoke([tp.partition for tp in arguments[1] if tp.topic == names.events])

        app.on_partitions_assigned.connect(on_assigned)
        app.on_partitions_revoked.connect(on_revoked)
        web = make_web([lag], notify.routes())
        port = await stack.enter_async_context(serving(web, config.web.host, config.web.worker_port))
        logger.info("serving", url=f"http://{config.web.host}:{port}")
        await _run(app, [watch_lag(lag, probe), assemble.run()], stop)


def ready_detector(watchlist: Watchlist, languages: Collection[str] = ()) -> Detector:
    """A detector that has read all of its data, which the garbage collector will not look through again and again.

    `languages` narrows detection to some of the bundled languages; empty means all. A full collection over roster and
    gazetteers takes tens of milliseconds, in the middle of an article. Raises
    DataFileError for a damaged installation, at the start and not at the first contact.
    """
    known = bundled_languages()
    detector = Detector(watchlist, {code: known[code] for code in languages} if languages else known)
    names = " and ".join(leader.name for leader in islice(watchlist.leaders.values(), 2))
    detector.detect(Article(id="warm-up", title=f"{names} met in Geneva on Monday", published=_WARM_UP))
    gc.collect()
    gc.freeze()
    return detector


async def require_topics(broker: BrokerSettings, config: Config) -> None:
    """Raises BrokerError when a topic is missing: nothing relies on auto-creation."""
    async with consumer(broker) as client:
        there = await client.topics()
    missing = [topic.name for topic in declare(config.topics) if topic.name not in there]
    if missing:
        raise BrokerError(
            f"no topic {', '.join(missing)} at {broker}: run `summitry topics create` first",
            reason="no_topic",
            retryable=False,
        )


async def _run(app: faust.App, jobs: Iterable[Any], stop: asyncio.Event) -> None:
    """Run the app and the jobs until `stop` is set or one of them ends by itself, which is a crash."""
    stopped = asyncio.create_task(stop.wait(), name="stop")
    starting = asyncio.create_task(app.start(), name="start")
    crashed = asyncio.create_task(app.wait_until_stopped(), name="app")
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        waiting = {stopped, starting, crashed, *tasks}
        while True:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done - {stopped}:
                task.result()
            if stopped in done:
                return
            if done != {starting}:
                raise app.crash_reason or RuntimeError("the Faust app stopped by itself")
            logger.info("started")
    finally:
        for task in (stopped, starting, crashed, *tasks):
            task.cancel()
        await app.stop()
        await asyncio.gather(stopped, starting, crashed, *tasks, return_exceptions=True)

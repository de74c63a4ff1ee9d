"""The worker process: the detect, assemble and notify agents in one Faust app, with health and metrics.

Any number of workers share the partitions of the topics. The topic of mentions has one partition, so one worker runs
the assembly and the others stand by; when it dies, Kafka assigns the partition to another worker within seconds.
"""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any

import faust
import structlog
from aiokafka import AIOKafkaProducer

from agents.assemble import AssembleStage, check_state
from agents.detect import CPU_LIMIT, DetectStage
from agents.notify import NotifyStage
from agents.process.config_names import with_ids
from agents.process.health import Lag, watch_lag
from agents.process.startup import start_up
from agents.process.web import ProcessCondition, make_web, serving
from agents.store import KafkaStore
from agents.stream.app import add_agent, coordinator_of, make_app
from agents.stream.crash_marks import CrashMarks
from agents.stream.guard import Guard
from agents.stream.membership import Membership
from agents.stream.outbox import KafkaOutbox
from agents.stream.reading import readable
from agents.stream.topics import TopicNames
from monitor.articles import read_article
from monitor.clock import service_clock
from monitor.config import Config, Detection
from monitor.detect import Detector, chosen_languages
from monitor.jobs import start_job
from monitor.kafka import MAX_RECORD_BYTES, BrokerSettings, consumer, producer
from monitor.records import Article, Event, Mention, decode
from monitor.watchlist import Watchlist, load_or_bundled

logger = structlog.get_logger()

#: The date of the warm-up article; any date works.
_WARM_UP = datetime(2026, 1, 1, tzinfo=UTC)


async def run_worker(config: Config, broker: BrokerSettings, stop: asyncio.Event) -> None:
    """Run a worker until `stop` is set. Raises BrokerError when there is no broker or a topic is missing.

    It must run under `agents.process.running`, which ends the process when one of its jobs ends, such as the Faust app.
    """
    port = await start_up(config, broker, config.web.worker_port, stop, "worker")
    if stop.is_set():
        return
    watchlist = load_or_bundled(config.watchlist)
    config = with_ids(config, watchlist, service_clock()().date())
    # In a thread, since on a busy machine this takes longer than the watchdog lets the event loop stand still.
    detector = await asyncio.to_thread(ready_detector, watchlist, config.detection)
    async with AsyncExitStack() as stack:
        # The batch size is large enough for a whole step of the assembler's state, so that it is stored atomically.
        sender = await stack.enter_async_context(producer(broker, max_batch_size=MAX_RECORD_BYTES * 3 // 4))
        probe = await stack.enter_async_context(consumer(broker, group_id=TopicNames(config.topics.prefix).group))
        stages = Stages(config, broker, detector, sender)
        await stack.enter_async_context(stages.notify.running())
        web = make_web(stages.conditions(), stages.notify.routes())
        await stack.enter_async_context(serving(web, config.web.host, port))
        start_job(watch_lag(stages.lag, probe), "lag")
        start_job(stages.assemble.run(), "calendar")
        await _run(stages.app(), stop)
        await stages.deaths.close()


class Stages:
    """The three stages of a worker, and the parts that they share."""

    def __init__(self, config: Config, broker: BrokerSettings, detector: Detector, sender: AIOKafkaProducer) -> None:
        self._broker, self._clock = broker, service_clock()
        self._names = names = TopicNames(config.topics.prefix)
        self._outbox = KafkaOutbox(sender)
        self.lag = Lag([names.articles, names.mentions, names.events], self._clock)
        self.deaths = CrashMarks(broker, names.attempts, self._outbox)
        self.detect = DetectStage(detector.detect, self._outbox, names.mentions, CPU_LIMIT)
        keep = readable(self._side("assemble"), {names.assembly: check_state})
        self.assemble = AssembleStage(
            KafkaStore(broker, names.assembly, sender, keep), self._outbox, names.events, self._clock
        )
        self._membership = Membership()
        self.notify = NotifyStage(
            config, broker, names, self._outbox, self._clock, certain=self._membership.holds, turn=self.deaths.turn
        )

    def conditions(self) -> list[ProcessCondition]:
        """Return the conditions on which `/ready` and `/live` depend."""
        return [self.lag, self.notify]

    def app(self) -> faust.App:
        """Make the Faust app, with one agent for each stage."""
        app, names = make_app(self._names, self._broker), self._names
        add_agent(app, names.articles, self._guard("detect"), read_article, self.detect.handle)
        add_agent(app, names.mentions, self._guard("assemble"), partial(decode, Mention), self.assemble.handle)
        add_agent(app, names.events, self._guard("notify"), partial(decode, Event), self.notify.handle)
        app.on_partitions_assigned.connect(self._on_assigned, weak=False)
        app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        return app

    def _guard(self, stage: str) -> Guard:
        """Make the guard for a stage's input topic."""
        return Guard(
            stage,
            self._outbox,
            self._names.dead_letters,
            clock=self._clock,
            progress=self.lag.handled,
            in_hand=self.deaths.in_hand,
        )

    def _side(self, stage: str) -> Guard:
        """Make the guard for a topic that a stage reads besides its input; it does not count towards the lag."""
        return Guard(stage, self._outbox, self._names.dead_letters, clock=self._clock)

    async def _on_assigned(self, *arguments: Any, **_: object) -> None:  # noqa: ANN401  # Faust's signals
        partitions = sorted((tp.topic, tp.partition) for tp in arguments[1])
        self._membership.renew()
        self._membership.follow(coordinator_of(arguments[0]))
        logger.info("assigned", partitions=[f"{topic}:{number}" for topic, number in partitions])
        await self.deaths.assign(partitions)
        await self.assemble.assign({number for topic, number in partitions if topic == self._names.mentions})
        self.notify.assign({number for topic, number in partitions if topic == self._names.events})
        self.lag.assign(partitions)

    async def _on_revoked(self, *arguments: Any, **_: object) -> None:  # noqa: ANN401  # Faust's signals
        revoked = {(tp.topic, tp.partition) for tp in arguments[1]}
        await self.assemble.assign(set())
        await self.notify.revoke([number for topic, number in revoked if topic == self._names.events])
        await self.deaths.close(revoked)


def ready_detector(watchlist: Watchlist, settings: Detection | None = None) -> Detector:
    """Make a detector with all of its data loaded, and exclude that data from garbage collection.

    Otherwise a full collection over the roster and gazetteers would take tens of milliseconds, in the middle of an
    article. `settings` may limit detection to some languages. Loading all data now means that a damaged installation
    fails at the start and not at the first contact. Raises DataFileError for that, and ConfigError for an unknown
    language.
    """
    detector = Detector(watchlist, chosen_languages(settings.languages if settings else ()))
    detector.warm_up()
    names = " and ".join(leader.name for leader in islice(watchlist.leaders.values(), 2))
    detector.detect(Article(id="warm-up", title=f"{names} met in Geneva on Monday", published=_WARM_UP))
    gc.collect()
    gc.freeze()
    return detector


async def _run(app: faust.App, stop: asyncio.Event) -> None:
    """Run the app until `stop` is set. If the app ends by itself, that is an error of the process."""
    jobs = [start_job(_start(app), "start", forever=False), start_job(_ended(app), "faust")]
    try:
        await stop.wait()
    finally:
        for job in jobs:
            job.cancel()
        await app.stop()


async def _start(app: faust.App) -> None:
    await app.start()
    logger.info("started")


async def _ended(app: faust.App) -> None:
    """Wait until the app has stopped, then raise the error that stopped it."""
    await app.wait_until_stopped()
    raise app.crash_reason or RuntimeError("the Faust app stopped by itself")

"""The notify stage: passes events to the delivery engine, and reads the delivery log of assigned partitions.

The delivery log of a partition is read to its end before the first event of that partition is handled. The offset of an
event is committed once the messages to send are in the log. They are sent in the background, also after a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

import structlog
from aiohttp import web
from aiokafka.errors import KafkaError

from agents.notify.delivery_log import KafkaDeadLetters, KafkaDeliveryLog
from agents.notify.notes import NoteFollower
from agents.notify.signed_pages import AckPages
from agents.notify.silent_feeds import watch
from agents.stream.guard import Guard, TopicRecord
from agents.stream.outbox import Outbox
from agents.stream.topics import TopicNames
from monitor import tracing
from monitor.clock import Clock
from monitor.config import Config, HeartbeatSettings
from monitor.errors import BrokerError
from monitor.jobs import start_job
from monitor.kafka import BrokerSettings
from monitor.notify import AckLinks, Delivery, Notifier, NotifierSetup, Policy, build
from monitor.notify.messages.wording import words_of
from monitor.records import Event

logger = structlog.get_logger()

#: Seconds that messages in flight get to end before a partition is given up; less than the group's session timeout.
_REVOKE_WAIT = 6.0
_RETRY = 2.0
#: Seconds between two deletions of old records.
_TIDY_EVERY = 600.0


class NotifyStage:
    """Sends alerts about the events of its partitions.

    `certain` says whether the process certainly is a member of its group. `turn` is held while a message that may kill
    the process is handled (agents/stream/crash_marks.py). For `/ready`, the stage is ready once silences,
    acknowledgements and the logs of all its partitions were read, so that pending messages are being sent.
    """

    def __init__(
        self,
        config: Config,
        broker: BrokerSettings,
        names: TopicNames,
        outbox: Outbox,
        clock: Clock,
        *,
        certain: Callable[[], bool] = lambda: True,
        turn: asyncio.Lock | None = None,
    ) -> None:
        self._broker, self._names, self._clock, self._certain = broker, names, clock, certain
        guard = Guard("notify", outbox, names.dead_letters, clock=clock)
        self._log = KafkaDeliveryLog(broker, names.deliveries, outbox, guard)
        self._words = words_of(config)
        self._heartbeat = config.alerts.heartbeat
        acknowledge = config.alerts.acknowledge
        links = AckLinks(acknowledge) if acknowledge else None
        self.notifier = Notifier(
            NotifierSetup(
                policy=Policy.of(config),
                receivers={name: build(receiver, broker) for name, receiver in config.receivers.items()},
                log=self._log,
                words=self._words,
                retries=config.alerts.retries,
                dead_letters=KafkaDeadLetters(outbox, names, clock),
                storm=config.alerts.storm,
                ack_links=links,
                board=config.board.url,
                keep=config.alerts.remember,
                owns=self.owns,
                clock=clock,
                turn=turn or asyncio.Lock(),
            )
        )
        self._pages = AckPages(links, self.notifier, outbox, names, clock) if links else None
        self._notes = NoteFollower(broker, names, outbox, guard, self.notifier, acks_kept=config.alerts.remember)
        self._loading: dict[int, asyncio.Task[None]] = {}
        self._leaving: dict[int, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send in the background until the block ends."""
        self.notifier.start()
        jobs = [start_job(self._notes.follow(), "notes"), start_job(self._tidy(), "tidy deliveries")]
        if self._heartbeat:
            jobs.append(start_job(self._watch(self._heartbeat), "heartbeat"))
        try:
            yield
        finally:
            for job in jobs:
                job.cancel()
            await self.revoke(set(self._loading))
            await self.notifier.stop()
            await asyncio.gather(*jobs, return_exceptions=True)

    def owns(self, partition: int) -> bool:
        """Tell whether this process certainly owns a partition, or is still finishing messages in flight of it."""
        return self._certain() and (partition in self._loading or partition in self._leaving)

    def not_ready(self) -> Iterable[str]:
        """Yield what must be read before pending messages are sent."""
        if not self._notes.known.is_set():
            yield "silences and acknowledgements are not read yet"
        reading = sorted(number for number, task in self._loading.items() if not task.done())
        if reading:
            yield f"deliveries of {', '.join(map(str, reading))} are not read yet"
        if self._loading and not self._certain():
            yield "the broker does not answer heartbeats: messages wait until it is certain who owns the partitions"

    def not_live(self) -> Iterable[str]:
        """Return nothing: a job that fails ends the process by itself."""
        return ()

    def assign(self, partitions: Iterable[int]) -> None:
        """Start reading the delivery log of partitions that are new to this process."""
        for number in partitions:
            if number not in self._loading:
                self.notifier.expect(number)
                self._loading[number] = start_job(self._load(number), f"deliveries {number}", forever=False)

    async def revoke(self, partitions: Iterable[int]) -> None:
        """Give up partitions. Returns when none of their messages is in flight, or after _REVOKE_WAIT seconds."""
        for number in partitions:
            task = self._loading.pop(number, None)
            if task is None:
                continue
            task.cancel()
            self._leaving[number] = start_job(self._leave(number, task), f"leave {number}", forever=False)
        if self._leaving:
            await asyncio.wait(self._leaving.values(), timeout=_REVOKE_WAIT)

    async def handle(self, event: Event, /, incoming: TopicRecord) -> None:
        """Handle one event; return when the messages to send are in the log. Raises BrokerError."""
        task = self._loading.get(incoming.partition)
        if task is None:
            raise BrokerError(f"partition {incoming.partition} was revoked", reason="not_assigned")
        await asyncio.wait([task])
        if task.cancelled():
            raise BrokerError(f"partition {incoming.partition} was revoked", reason="not_assigned")
        tracing.note(event_id=event.event_id, revision=event.revision)
        for receiver, decision in (await self.notifier.accept(event, incoming.partition)).items():
            tracing.mark("decided", to=receiver, tell=decision.tell or "nothing", reason=decision.reason)

    async def tidy(self) -> None:
        """Delete old records from the delivery log, and in the worker with the first partition also old silences.

        Raises BrokerError.
        """
        forgotten = await self.notifier.tidy()
        if self.owns(0):
            await self._notes.tidy(self._clock())
        logger.info("tidied", records=forgotten)

    def routes(self) -> list[web.RouteDef]:
        """Return the acknowledgement pages, when they are configured."""
        return self._pages.routes() if self._pages else []

    async def _watch(self, settings: HeartbeatSettings) -> None:
        """Send notices when articles stop arriving; only the worker with the first partition sends them."""
        await watch(
            settings, self._broker, self._names.articles, self.notifier,
            words=self._words, clock=self._clock, speaks=lambda: self.owns(0),
        )  # fmt: skip

    async def _tidy(self) -> None:
        """Call `tidy` every ten minutes, for ever."""
        while True:
            await asyncio.sleep(_TIDY_EVERY)
            try:
                await self.tidy()
            except BrokerError as error:
                logger.warning("not_tidied", error=str(error))

    async def _load(self, partition: int) -> None:
        if leaving := self._leaving.pop(partition, None):
            await asyncio.wait([leaving])
        await self._notes.known.wait()
        records = await self._read(partition)
        await self.notifier.assign(partition, records)
        for wish in list(self._notes.wishes.values()):
            await self.notifier.note(wish)
        logger.info("deliveries_read", partition=partition, records=len(records))

    async def _read(self, partition: int) -> list[Delivery]:
        """Read a partition's delivery log; try again for as long as the broker does not answer."""
        while True:
            try:
                return await self._log.load(partition)
            except (BrokerError, KafkaError, OSError, TimeoutError) as error:
                logger.warning("deliveries_not_read", partition=partition, error=str(error) or type(error).__name__)
            await asyncio.sleep(_RETRY)

    async def _leave(self, partition: int, loading: asyncio.Task[None]) -> None:
        await asyncio.wait([loading])
        await self.notifier.revoke(partition)
        if self._leaving.get(partition) is asyncio.current_task():
            del self._leaving[partition]

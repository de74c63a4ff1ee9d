"""Events to receivers: the shell around the delivery engine, with its log, silences and acknowledgements on topics.

A partition's delivery log is read to its end before the first event of that partition is handed over. An event's offset
is committed once what is to be sent is in the log; sending goes on in the background and survives a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import structlog
from aiohttp import web

from agents.pulse import watch
from agents.stream.dead_letters import DeadLetter, write
from agents.stream.guard import Incoming
from agents.stream.outbox import Outbox
from agents.stream.topics import TopicNames
from monitor.clock import Clock
from monitor.config import Config, HeartbeatSettings
from monitor.errors import BrokerError, DecodeError, SummitryError
from monitor.kafka import BrokerSettings, follow_compacted, read_compacted
from monitor.notify import Ack, AckLinks, Delivery, Note, Notifier, Pending, Policy, Retry, build
from monitor.notify.messages.wording import wording
from monitor.notify.replies.ack import PATH, AckRefusedError, form, refusal, thanks
from monitor.records import Event, decode, encode

logger = structlog.get_logger()

#: Messages in flight may take this long (seconds) to end before a partition is given up: less than the group's session.
_REVOKE_WAIT = 6.0
_RETRY = 2.0


class KafkaDeliveryLog:
    """The delivery log on its compacted topic, on the partition of the event."""

    def __init__(self, broker: BrokerSettings, topic: str, outbox: Outbox) -> None:
        self._broker, self._topic, self._outbox = broker, topic, outbox

    async def append(self, partition: int, record: Delivery) -> None:
        """Write a record and await its ack. Raises BrokerError."""
        await self._outbox.send(self._topic, record.key.encode(), encode(record), partition=partition)

    async def load(self, partition: int) -> list[Delivery]:
        """The last record of each key; what can't be read is passed over with a warning. Raises BrokerError."""
        records = []
        for key, value in (await read_compacted(self._broker, self._topic, [partition])).items():
            try:
                records.append(decode(Delivery, value))
            except DecodeError:
                logger.exception("delivery_unreadable", delivery_id=key)
        return records


class GivenUp:
    """Sets messages aside that were given up after the last retry."""

    def __init__(self, outbox: Outbox, names: TopicNames, clock: Clock) -> None:
        self._outbox, self._names, self._clock = outbox, names, clock

    async def give_up(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        """Write the dead letter; its value is the delivery record. Raises BrokerError."""
        letter = DeadLetter(
            id=f"{self._names.deliveries}:{delivery.key}:{pending.event.revision}:{pending.tell}",
            stage="deliver",
            topic=self._names.deliveries,
            partition=-1,
            offset=-1,
            key=delivery.key.encode(),
            value=encode(delivery),
            at=self._clock(),
            reason=reason,
            error=pending.error,
            attempts=pending.attempts,
        )
        await write(self._outbox, self._names.dead_letters, letter)


class NotifyStage:
    """Owns the deliveries of the events' partitions that are assigned to this process."""

    def __init__(self, config: Config, broker: BrokerSettings, names: TopicNames, outbox: Outbox, clock: Clock) -> None:
        self._broker, self._names, self._outbox, self._clock = broker, names, outbox, clock
        self._log = KafkaDeliveryLog(broker, names.deliveries, outbox)
        self._words = wording(config.alerts.templates)
        self._heartbeat = config.alerts.heartbeat
        acknowledge = config.alerts.acknowledge
        self._links = AckLinks(acknowledge) if acknowledge else None
        self.notifier = Notifier(
            Policy.of(config),
            {name: build(receiver, broker) for name, receiver in config.receivers.items()},
            self._log,
            self._words,
            retries=config.alerts.retries,
            dead_letters=GivenUp(outbox, names, clock),
            storm=config.alerts.storm,
            ack_links=self._links,
            clock=clock,
        )
        self._loading: dict[int, asyncio.Task[None]] = {}
        self._leaving: dict[int, asyncio.Task[None]] = {}
        #: Wishes to send again what was given up; they hold for partitions that are read later, too.
        self._wishes: dict[str, Retry] = {}
        #: Silences and acknowledgements must be known before anything is sent.
        self._noted = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send in the background until the block ends."""
        self.notifier.start()
        tasks = [asyncio.create_task(self._follow_notes(), name="notes")]
        if self._heartbeat:
            tasks.append(asyncio.create_task(self._watch(self._heartbeat), name="heartbeat"))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await self.revoke(set(self._loading))
            await self.notifier.stop()
            await asyncio.gather(*tasks, return_exceptions=True)

    def assign(self, partitions: Iterable[int]) -> None:
        """Begin to read the deliveries of partitions that are new to this process."""
        for number in partitions:
            if number not in self._loading:
                self._loading[number] = asyncio.create_task(self._load(number), name=f"deliveries {number}")

    async def revoke(self, partitions: Iterable[int]) -> None:
        """Give partitions up; returns when nothing of them is in flight, or after some seconds."""
        for number in partitions:
            task = self._loading.pop(number, None)
            if task is None:
                continue
            task.cancel()
            self._leaving[number] = asyncio.create_task(self._leave(number, task), name=f"leave {number}")
        if self._leaving:
            await asyncio.wait(self._leaving.values(), timeout=_REVOKE_WAIT)

    async def handle(self, event: Event, /, incoming: Incoming) -> None:
        """Decide on one event; return when what is to be sent is in the log. Raises BrokerError."""
        task = self._loading.get(incoming.partition)
        if task is None:
            raise BrokerError(f"partition {incoming.partition} was revoked", reason="not_assigned")
        await asyncio.wait([task])
        if task.cancelled():
            raise BrokerError(f"partition {incoming.partition} was revoked", reason="not_assigned")
        await self.notifier.accept(event, incoming.partition)

    def routes(self) -> list[web.RouteDef]:
        """The acknowledgement pages, when they are configured."""
        if self._links is None:
            return []
        return [web.get(PATH, self._ask), web.post(PATH, self._acknowledge)]

    async def _watch(self, settings: HeartbeatSettings) -> None:
        """Tell when articles stop coming. Of all workers the one with the first partition speaks."""
        await watch(
            settings, self._broker, self._names.articles, self.notifier,
            words=self._words, clock=self._clock, speaks=lambda: 0 in self._loading,
        )  # fmt: skip

    async def _load(self, partition: int) -> None:
        if leaving := self._leaving.pop(partition, None):
            await asyncio.wait([leaving])
        await self._noted.wait()
        while True:
            try:
                records = await self._log.load(partition)
                break
            except BrokerError as error:
                logger.warning("deliveries_not_read", partition=partition, error=str(error))
                await asyncio.sleep(_RETRY)
        await self.notifier.assign(partition, records)
        for wish in self._wishes.values():
            await self.notifier.note(wish)
        logger.info("deliveries_read", partition=partition, records=len(records))

    async def _leave(self, partition: int, loading: asyncio.Task[None]) -> None:
        await asyncio.wait([loading])
        await self.notifier.revoke(partition)

    async def _follow_notes(self) -> None:
        """Take in what was said before, then what is said from now on, for ever."""
        while True:
            try:
                async for notes in follow_compacted(self._broker, self._names.silences, self._names.acks):
                    for (topic, key), value in notes.items():
                        await self._take_note(topic, key, value)
                    self._noted.set()
            except BrokerError as error:
                logger.warning("notes_not_followed", error=str(error))
            await asyncio.sleep(_RETRY)

    async def _take_note(self, topic: str, key: str, value: bytes | None) -> None:
        try:
            if topic == self._names.acks:
                if value is not None:
                    await self.notifier.acknowledge(decode(Ack, value))
            elif value is None:
                self.notifier.unsilence(key)
            else:
                note: Note = msgspec.json.decode(value, type=Note)
                if isinstance(note, Retry):
                    self._wishes[note.id] = note
                await self.notifier.note(note)
        except (SummitryError, msgspec.DecodeError) as error:
            logger.warning("note_not_taken", topic=topic, key=key, error=str(error))

    async def _ask(self, request: web.Request) -> web.Response:
        event_id, until, signature = (request.query.get(name, "") for name in ("event", "until", "sig"))
        assert self._links is not None  # noqa: S101  # this page exists only with links
        try:
            self._links.check(event_id, until, signature, self._clock())
        except AckRefusedError as error:
            return _page(refusal(error), 403)
        return _page(form(event_id, until, signature))

    async def _acknowledge(self, request: web.Request) -> web.Response:
        fields = await request.post()
        assert self._links is not None  # noqa: S101  # this page exists only with links
        try:
            ack = self._links.acknowledged(
                _text(fields, "event"), _text(fields, "until"), _text(fields, "sig"), _text(fields, "by"), self._clock()
            )
        except AckRefusedError as error:
            return _page(refusal(error), 403)
        await self._outbox.send(self._names.acks, ack.event_id.encode(), encode(ack))
        return _page(thanks(ack))


def _text(fields: Any, name: str) -> str:  # noqa: ANN401  # aiohttp's form fields are texts or files
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def _page(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")

"""Read silences, retry requests and acknowledgements from their topics, pass them to the engine, delete old ones."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from aiokafka.errors import KafkaError

from agents.stream.guard import Guard
from agents.stream.outbox import Outbox
from agents.stream.reading import readable
from agents.stream.topics import TopicNames
from monitor.errors import BrokerError
from monitor.kafka import BrokerSettings, follow_compacted
from monitor.notify import Ack, Notifier, Retry, Silence, decode_note
from monitor.records import decode

logger = structlog.get_logger()

_RETRY = 2.0
#: How long a silence is kept in its topic after its end, and a retry request after it was made.
_NOTES_KEPT = timedelta(days=7)


class NoteFollower:
    """Follows the topics of silences and acknowledgements. `known` is set once all existing records were read."""

    def __init__(
        self,
        broker: BrokerSettings,
        names: TopicNames,
        outbox: Outbox,
        guard: Guard,
        notifier: Notifier,
        *,
        acks_kept: timedelta,
    ) -> None:
        self.known = asyncio.Event()
        self.wishes: dict[str, Retry] = {}
        self._broker, self._names, self._outbox, self._notifier = broker, names, outbox, notifier
        self._keep = readable(guard, {names.silences: decode_note, names.acks: lambda data: decode(Ack, data)})
        self._acks_kept = acks_kept
        #: When each record may be deleted, by topic and key.
        self._until: dict[tuple[str, str], datetime] = {}

    async def follow(self) -> None:
        """Read all existing records, then follow new ones, for ever.

        A record that can't be decoded becomes a dead letter. When the broker does not answer, this tries again.
        """
        while True:
            try:
                topics = (self._names.silences, self._names.acks)
                async for notes in follow_compacted(self._broker, *topics, keep=self._keep):
                    for (topic, key), value in notes.items():
                        await self._take(topic, key, value)
                    self.known.set()
            except (BrokerError, KafkaError, OSError) as error:
                logger.warning("notes_not_followed", error=str(error) or type(error).__name__)
            await asyncio.sleep(_RETRY)

    async def tidy(self, now: datetime) -> None:
        """Delete old records from the topics. Raises BrokerError."""
        for (topic, key), until in list(self._until.items()):
            if until < now:
                await self._outbox.send(topic, key.encode(errors="surrogateescape"), None)
                self._until.pop((topic, key), None)

    async def _take(self, topic: str, key: str, value: bytes | None) -> None:
        if value is None:
            self._until.pop((topic, key), None)
            if topic == self._names.acks:
                self._notifier.unacknowledge(key)
            else:
                self._notifier.unsilence(key)
                self.wishes.pop(key, None)
        elif topic == self._names.acks:
            ack = decode(Ack, value)
            self._until[topic, key] = _later(ack.at, self._acks_kept)
            await self._notifier.acknowledge(ack)
        else:
            note = decode_note(value)
            if isinstance(note, Silence):
                self._until[topic, key] = _later(note.until, _NOTES_KEPT)
            else:
                self._until[topic, key] = _later(note.at, _NOTES_KEPT)
                self.wishes[key] = note
            await self._notifier.note(note)


def _later(moment: datetime, by: timedelta) -> datetime:
    """Return `moment + by`, or the last possible datetime when that would overflow."""
    try:
        return moment + by
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)

"""Read compacted topics through the guard. A record that can't be decoded becomes a dead letter and is ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiokafka import ConsumerRecord

from agents.stream.guard import Guard, TopicRecord
from monitor.kafka import Keep
from monitor.record_batches import Unreadable


def readable(guard: Guard, decoders: Mapping[str, Callable[[bytes], object]]) -> Keep:
    """Return the `keep` argument for `read_compacted` and `follow_compacted`: it keeps records that can be decoded.

    `decoders` has the decoder of each topic. An error of a decoder goes through the guard: a DecodeError makes a dead
    letter, a StateError ends the process. Empty values, which delete a key, are always kept.
    """

    async def keep(record: ConsumerRecord) -> bool:
        if record.value is None:
            return True
        decode = decoders[record.topic]
        if not isinstance(record.value, Unreadable):
            try:
                decode(record.value)
            except Exception:  # noqa: BLE001, S110  # the guard below decodes again and handles the error
                pass
            else:
                return True
        return await guard.run(TopicRecord.of(record), decode, _nothing) != "dead_letter"

    return keep


async def _nothing(_value: object) -> None:
    """Do nothing, since only the decoding is guarded."""

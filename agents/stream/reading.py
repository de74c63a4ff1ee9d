"""Read compacted topics through the guard: a record that can't be decoded is set aside, the value before it stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiokafka import ConsumerRecord

from agents.stream.guard import Guard, Incoming
from monitor.kafka import Keep
from monitor.record_batches import Unreadable


def readable(guard: Guard, decoders: Mapping[str, Callable[[bytes], object]]) -> Keep:
    """Make the `keep` argument of `read_compacted` and `follow_compacted`: takes what its topic's decoder can read.

    What a decoder raises goes through the guard: a DecodeError makes a dead letter, a StateError ends the process.
    Empty values, which delete a key, are always taken.
    """

    async def keep(record: ConsumerRecord) -> bool:
        if record.value is None:
            return True
        decode = decoders[record.topic]
        if not isinstance(record.value, Unreadable):
            try:
                decode(record.value)
            except Exception:  # noqa: BLE001, S110  # the guard decodes once more and decides
                pass
            else:
                return True
        return await guard.run(Incoming.of(record), decode, _nothing) != "dead_letter"

    return keep


async def _nothing(_value: object) -> None:
    """Do nothing: only the decoding is guarded."""

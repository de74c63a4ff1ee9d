"""Test that state stored by version 0.1.0 can be read; newer fields get their defaults."""

from __future__ import annotations

import msgspec
import zstandard

from monitor.assemble import Assembly
from monitor.assemble.stored import EventState, unpack
from tests.monitor.assemble.samples import at, day, mention, run

#: Fields of an event's state and of a claim in 0.1.0.
STATE_FIELDS, CLAIM_FIELDS = 9, 26


def as_of_first_version(data: bytes) -> bytes:
    """The state without the fields that 0.1.0 did not have."""
    state = msgspec.msgpack.decode(zstandard.decompress(data[2:]))
    state[2] = [claim[:CLAIM_FIELDS] for claim in state[2]]
    return data[:2] + zstandard.compress(msgspec.msgpack.encode(state[:STATE_FIELDS]))


def test_an_event_of_the_first_version_is_read_and_goes_on():
    assembly = Assembly()
    run(assembly, mention(article="a", when=day("2026-02-04")))
    ((key, data),) = [(key, data) for key, data in assembly.states() if isinstance(unpack(data), EventState)]
    older = as_of_first_version(data)
    assert len(older) < len(data)
    restored = Assembly.restore([older])
    (event,) = run(restored, mention(article="b", when=day("2026-02-04"), published=at(0, 1)))
    assert (event.event_id, event.revision, len(event.sources)) == (key, 2, 2)

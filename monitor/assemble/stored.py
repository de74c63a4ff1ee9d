"""The stored state of one open event, of a pair and of the clock, and its byte form.

The bytes are a version byte and zstandard-compressed MessagePack. Titles and addresses of one event's coverage are
repetitive, so ten thousand events with fifty articles each need little memory.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import zstandard

from monitor.assemble.claims.kept_mention import KeptMention
from monitor.assemble.pair_record import PairRecord
from monitor.errors import DecodeError, NewerSchemaError
from monitor.records import Change

_VERSION = 1
_LEVEL = 1
#: Largest unpacked size of a state in bytes, so that a damaged or hostile record can't fill the memory.
_MAX_STATE = 64 * 1024 * 1024


class EventState(msgspec.Struct, kw_only=True, array_like=True):
    """An open event: its mentions and what was last published of it.

    `digest` is a hash of the last revision's content, `shown` its tracked values. `into` is the event as part of which
    this one is published (a report with more or fewer participants), '' if it stands alone. `withdrawn` are articles
    whose claims were taken back, with the last such revision. `gone` is the day of the last claim after all were taken
    back, else 0; such a state is kept for a while, so that an old claim that arrives again is recognised.
    """

    event_id: str
    group: str
    mentions: tuple[KeptMention, ...]
    revision: int = 0
    digest: bytes = b""
    shown: dict[str, Any] = {}
    history: tuple[Change, ...] = ()
    redirects: tuple[str, ...] = ()
    into: str = ""
    withdrawn: tuple[tuple[str, int], ...] = ()
    gone: int = 0


class Watermark(msgspec.Struct, array_like=True):
    """The watermark: the latest event time so far, in seconds."""

    time: int


State = EventState | PairRecord | Watermark
S = TypeVar("S", EventState, PairRecord, Watermark)

_TAGS: dict[type, bytes] = {EventState: b"e", PairRecord: b"p", Watermark: b"c"}
_TYPES: dict[bytes, type] = {tag: kind for kind, tag in _TAGS.items()}


def pack(state: State) -> bytes:
    """Return the byte form of a state."""
    return bytes([_VERSION]) + _TAGS[type(state)] + zstandard.compress(msgspec.msgpack.encode(state), _LEVEL)


def unpack(data: bytes) -> State:
    """Read a state. Raises DecodeError when it is damaged, NewerSchemaError when a newer version wrote it."""
    if len(data) < 2 or data[1:2] not in _TYPES:
        raise DecodeError("not an assembly state")
    if data[0] > _VERSION:
        raise NewerSchemaError(f"assembly state of version {data[0]}; this version reads up to {_VERSION}: upgrade it")
    try:
        plain = zstandard.decompress(data[2:], max_output_size=_MAX_STATE)
        state: State = msgspec.msgpack.decode(plain, type=_TYPES[data[1:2]])
    except (zstandard.ZstdError, msgspec.DecodeError) as error:
        raise DecodeError(f"not an assembly state: {error}") from error
    return state


def unpack_event(data: bytes) -> EventState:
    """Read the state of an event. Raises DecodeError when it is another kind of state."""
    state = unpack(data)
    if not isinstance(state, EventState):
        raise DecodeError("not the state of an event")
    return state

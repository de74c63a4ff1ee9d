"""The event loop of a process that talks to thousands of hosts."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

#: Objects that come to be between two looks for garbage in cycles. Nearly all that a poll leaves behind is freed
#: without one; looking each 700 objects, which is usual, takes a fifth of a poll's time.
_COLLECT_EACH = 10_000


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes uvloop's event loop, for `asyncio.Runner`; None, which means asyncio's own, where it is not installed.

    Connections cost half as much on it, and those of a poller live for one answer. Call it when everything is imported:
    it lets the process look for garbage less often, and never among what is there already.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_EACH)
    try:
        import uvloop  # noqa: PLC0415  # an extra
    except ImportError:
        return None
    return uvloop.new_event_loop

"""The event loop of a process that talks to thousands of hosts, and how often a process looks for garbage."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # commands that need no loop start in half the time without it
    import asyncio

#: New objects between two looks for garbage in cycles. Nearly all that a poll leaves behind is freed without one;
#: looking after each 700 objects, which is usual, takes a fifth of a poll's time, and of loading the detector.
_COLLECT_EACH = 10_000


def collect_rarely() -> None:
    """Let this process look for garbage in cycles less often, and never among the objects that are there already.

    Call it once, when everything is imported.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_EACH)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give what makes uvloop's event loop, for `asyncio.Runner`; None, for asyncio's own, where it is not installed.

    Connections cost half as much on it, and those of a poller live for one answer.
    """
    try:
        import uvloop  # noqa: PLC0415  # an extra
    except ImportError:
        return None
    return uvloop.new_event_loop

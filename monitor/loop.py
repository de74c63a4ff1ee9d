"""Choose the event loop (uvloop where it is installed), run the garbage collector less often, return unused memory."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # importing asyncio would double the start time of commands that need no event loop
    import asyncio

#: The collector runs after this many new objects. It only finds reference cycles, and a poll leaves hardly any. With
#: Python's default of 700 it takes a fifth of the time of a poll, and of loading the detector.
_COLLECT_EACH = 10_000
#: Seconds between two times at which unused memory is returned. It takes a poller some 5 ms.
_TRIM_EVERY = 60.0


def collect_rarely() -> None:
    """Run the garbage collector less often, and never over the objects that exist now.

    Call it once per process, after all imports and after loading what stays.
    """
    gc.freeze()
    gc.set_threshold(_COLLECT_EACH)


@contextmanager
def no_collector() -> Iterator[None]:
    """Turn the garbage collector off while data is loaded: that makes many objects and no cycles.

    The collector doubles the time of reading the roster, and takes a tenth of that of loading the detector.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


async def return_unused_memory() -> None:
    """Return free memory to the system each minute, for ever; ends at once where the C library is not glibc.

    glibc keeps free pages that lie below used ones. A poller's documents and records come and go among what it
    remembers of its feeds, so at 50 articles a second 4 MiB of such pages came together in a quarter of an hour.
    """
    import asyncio  # noqa: PLC0415  # see above

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:
        await asyncio.sleep(_TRIM_EVERY)
        trim(0)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's factory of event loops, for `asyncio.Runner`; None where uvloop is not installed.

    Opening a connection costs half as much with uvloop, and a poller opens one for each request.
    """
    try:
        import uvloop  # noqa: PLC0415  # an extra
    except ImportError:
        return None
    return uvloop.new_event_loop

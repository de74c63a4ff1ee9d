"""One attempt on a receiver: in time, at its pace, and only while the event's partition is ours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from time import perf_counter

import structlog

from monitor import metrics
from monitor.errors import DeliveryError
from monitor.notify.delivery.setup import Setup
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message
from monitor.notify.receivers.base import Lookup, Receiver, UncertainError

logger = structlog.get_logger()


class NotOursError(Exception):
    """The partition may be another worker's by now: nothing was sent."""


class Attempts:
    """Sends messages and looks them up, one call one attempt."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._free_at: dict[str, float] = {}

    def receiver(self, name: str) -> Receiver:
        """Return the receiver of that name."""
        return self._setup.receivers[name]

    async def find(self, name: str, message: Message, head: Handle | None) -> Lookup:
        """Ask the receiver whether an in-doubt message arrived. Raises DeliveryError when it can't be asked now."""
        receiver = self.receiver(name)
        with _problems(name, message):
            async with asyncio.timeout(receiver.traits.timeout):
                return await receiver.find(message, head)

    async def deliver(
        self, name: str, partitions: Iterable[int], message: Message, head: Handle | None
    ) -> Handle | None:
        """Send one message about events of `partitions`; returns what a later update needs to find it.

        The question whether the partitions are still ours comes last, after every wait: a process that was suspended
        or cut off from the broker meanwhile must not send what another one has sent. Raises NotOursError, and
        DeliveryError for whatever goes wrong at the receiver.
        """
        receiver = self.receiver(name)
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._free_at.get(name, 0.0) - loop.time()))
        self._free_at[name] = loop.time() + receiver.traits.pace
        if not all(self._setup.owns(partition) for partition in partitions):
            raise NotOursError
        begun = perf_counter()
        try:
            with _problems(name, message):
                async with asyncio.timeout(receiver.traits.timeout):
                    handle = await receiver.deliver(message, head)
        finally:
            metrics.notification_latency.labels(name).observe(perf_counter() - begun)
        await self._setup.checkpoint("after_send")
        return handle


@contextmanager
def _problems(name: str, message: Message) -> Iterator[None]:
    """Turn whatever a receiver's library raises into DeliveryError: it harms this message only."""
    try:
        yield
    except TimeoutError as error:
        raise UncertainError("no answer in time", reason="timeout") from error
    except DeliveryError:
        raise
    except Exception as error:
        logger.exception("receiver_fault", receiver=name, delivery_id=message.id)
        raise UncertainError(f"{type(error).__name__} in the receiver", reason="error") from error

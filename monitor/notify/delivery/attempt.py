"""Make one attempt to send a message: with a time limit, at the receiver's pace, while we own the event's partition."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from time import perf_counter

import structlog

from monitor import metrics, tracing
from monitor.errors import DeliveryError
from monitor.notify.delivery.setup import NotifierSetup
from monitor.notify.logbook import Handle, Pending
from monitor.notify.messages.compose import Message
from monitor.notify.receivers.base import Lookup, Receiver, UncertainError

logger = structlog.get_logger()


class NotOursError(Exception):
    """The partition may belong to another worker by now, so nothing was sent."""


class Attempts:
    """Sends messages and looks them up; each call makes one attempt."""

    def __init__(self, setup: NotifierSetup) -> None:
        self._setup = setup
        self._free_at: dict[str, float] = {}

    def receiver(self, name: str) -> Receiver:
        """Return the receiver with this name."""
        return self._setup.receivers[name]

    async def find(self, name: str, message: Message, head: Handle | None) -> Lookup:
        """Ask the receiver whether a message in doubt has arrived. Raises DeliveryError when it can't be asked now."""
        receiver = self.receiver(name)
        with _problems(name, message):
            async with asyncio.timeout(receiver.traits.timeout):
                return await receiver.find(message, head)

    async def deliver(
        self,
        name: str,
        partitions: Iterable[int],
        message: Message,
        head: Handle | None,
        *,
        in_hand: AbstractAsyncContextManager[None] | None = None,
    ) -> Handle | None:
        """Send one message about events of `partitions`. Returns the handle with which a later update finds it.

        `in_hand` is a context that is entered right before the attempt and left after it.

        Whether the partitions are still ours is checked last, after every wait: a process that was suspended or cut off
        from the broker in the meantime must not send what another worker has sent. Raises NotOursError when they are
        not, and DeliveryError for any failure of the receiver.
        """
        receiver = self.receiver(name)
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._free_at.get(name, 0.0) - loop.time()))
        self._free_at[name] = loop.time() + receiver.traits.pace
        async with in_hand or nullcontext():
            if not all(self._setup.owns(partition) for partition in partitions):
                raise NotOursError
            begun = perf_counter()
            try:
                with _problems(name, message):
                    async with asyncio.timeout(receiver.traits.timeout + receiver.traits.warm_up):
                        handle = await receiver.deliver(message, head)
            finally:
                metrics.notification_latency.labels(name).observe(perf_counter() - begun)
            await self._setup.checkpoint("after_send")
        return handle


@contextmanager
def _problems(name: str, message: Message) -> Iterator[None]:
    """Turn any error of a receiver's library into DeliveryError, so that only this message is affected."""
    try:
        yield
    except TimeoutError as error:
        raise UncertainError("no answer in time", reason="timeout") from error
    except DeliveryError:
        raise
    except Exception as error:
        logger.exception("receiver_fault", receiver=name, delivery_id=message.id)
        raise UncertainError(f"{type(error).__name__} in the receiver", reason="error") from error


def attempted(pending: Pending, receiver: str, others: Iterable[str] = ()) -> tracing.TraceStep:
    """Return the trace step of an attempt. `others` are the `traceparent`s of the messages in the same batch."""
    return tracing.step(
        "send", pending.trace, others, receiver=receiver, event_id=pending.event.event_id, tell=pending.tell
    )

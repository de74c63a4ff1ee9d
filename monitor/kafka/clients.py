"""Wait for a broker, and start and stop clients: admin client, producer, consumer.

Producers wait for all in-sync replicas. They do not use Kafka's idempotent producer: the embedded broker has none, and
it is not needed. Handling a record twice has no second effect, since records have deterministic ids; and aiokafka sends
one batch at a time to a partition, so a retry keeps the order.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError, KafkaError

from monitor.errors import BrokerError, SummitryError
from monitor.kafka.broker_settings import BrokerSettings

#: The largest record, in bytes, that a topic takes. An event with thousands of articles stays well below it.
MAX_RECORD_BYTES = 4 * 1024 * 1024

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
#: Seconds that one attempt to connect may take. The first attempt gets SAY_AFTER seconds only, so that the log says
#: early that the broker does not answer.
_PATIENCE = 10.0
#: Seconds for which a client whose start was cancelled may go on with it.
_START_GRACE = 1.0
#: Seconds that a connection has to close. With TLS, asyncio waits 30 s for the broker's part, which may never come.
_CLOSING_S = 1.0
#: While waiting for a broker, a line is logged after SAY_AFTER seconds, and then every SAY_EVERY seconds.
SAY_AFTER, SAY_EVERY = 3.0, 60.0

_Client: TypeAlias = AIOKafkaAdminClient | AIOKafkaConsumer | AIOKafkaProducer
#: What aiokafka raises when no broker answers.
_NO_ANSWER = (KafkaError, OSError, UnicodeError)

logger = logging.getLogger(__name__)  # in a command, which configures no logging, warnings go to standard error


async def wait_for_broker(
    settings: BrokerSettings, within: float = 60.0, *, waiting: Callable[[str], None] = lambda _: None
) -> None:
    """Return as soon as the broker answers; try again with growing pauses until then.

    After each failed attempt `waiting` is called with a line for the user. A warning is logged after SAY_AFTER seconds
    and then every SAY_EVERY seconds. Raises BrokerError after `within` seconds; its message has the last failure.
    """
    began, pause, last = time.monotonic(), _FIRST_PAUSE, "no answer"
    say_after, patience = SAY_AFTER, SAY_AFTER
    while True:
        limit = max(0.05, min(began + within - time.monotonic(), patience))
        try:
            async with asyncio.timeout(limit), admin_client(settings, limit) as client:
                await client.list_topics()
        except (KafkaError, BrokerError, OSError, TimeoutError, UnicodeError) as error:
            last = await _refusal(settings) or _why(error)
        else:
            return
        waiting(f"waiting for the broker at {settings}: {last}")
        waited = time.monotonic() - began
        if waited + pause > within:
            raise BrokerError(f"no broker at {settings} within {within:g} s: {last}")
        if waited >= say_after:
            logger.warning("waiting for the broker at %s for %.0f s: %s", settings, waited, last)
            say_after = waited + SAY_EVERY
        patience = _PATIENCE
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


@asynccontextmanager
async def admin_client(settings: BrokerSettings, timeout_s: float = 10.0) -> AsyncIterator[AIOKafkaAdminClient]:
    """Yield a started admin client, each of whose requests may take `timeout_s`; it is closed at the end.

    Raises KafkaError, OSError, TimeoutError or UnicodeError when no broker answers.
    """
    client = AIOKafkaAdminClient(**settings.client_options(), request_timeout_ms=int(timeout_s * 1000))
    await _start(client)
    try:
        yield client
    finally:
        await _stop(client)


@asynccontextmanager
async def producer(settings: BrokerSettings, **options: object) -> AsyncIterator[AIOKafkaProducer]:
    """Yield a started producer that waits for all in-sync replicas; it is flushed and stopped at the end.

    Raises BrokerError when no broker answers.
    """
    options = {"acks": "all", "linger_ms": 5, "max_request_size": MAX_RECORD_BYTES, **options}
    client = AIOKafkaProducer(**settings.client_options(), **options)
    try:
        await _start(client)
    except _NO_ANSWER as error:
        raise BrokerError(f"no producer at {settings}: {_why(error)}") from error
    try:
        yield client
    finally:
        await _stop(client)


@asynccontextmanager
async def consumer(settings: BrokerSettings, *topics: str, **options: object) -> AsyncIterator[AIOKafkaConsumer]:
    """Yield a started consumer that never commits by itself; it is stopped at the end.

    Raises BrokerError when no broker answers, and in place of any KafkaError raised inside the `async with` block.
    """
    options = {"enable_auto_commit": False, "max_partition_fetch_bytes": MAX_RECORD_BYTES, **options}
    client = AIOKafkaConsumer(*topics, **settings.client_options(), **options)
    try:
        await _start(client)
    except _NO_ANSWER as error:
        raise BrokerError(f"no consumer at {settings}: {_why(error)}") from error
    # Let aiokafka's tasks run once: stop() raises CancelledError when they have not started yet.
    await asyncio.sleep(0)
    try:
        yield client
    except KafkaError as error:
        raise BrokerError(f"the consumer at {settings} failed: {_why(error)}") from error
    finally:
        await _stop(client)


async def _start(client: _Client) -> None:
    """Start a client. When that fails or is cancelled, stop the client and raise the error."""
    starting = asyncio.ensure_future(client.start())
    try:
        await asyncio.shield(starting)
    except BaseException:
        # When its start is cancelled, aiokafka leaves its first connection open. So let the start end, if it does soon.
        await asyncio.wait({starting}, timeout=_START_GRACE)
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await _stop(client)
        raise


async def _stop(client: _Client) -> None:
    """Stop a client. Connections that take too long to close are ended.

    A broker that is still handling a request may never answer the end of a TLS connection (RFC 8446, 6.1).
    """
    # aiokafka has no public way to its connections.
    connections = (client.client if isinstance(client, AIOKafkaProducer) else client._client)._conns  # noqa: SLF001
    writers = [connection._writer for connection in connections.values() if connection._writer]  # noqa: SLF001
    stopping = asyncio.ensure_future(client.close() if isinstance(client, AIOKafkaAdminClient) else client.stop())
    try:
        while not (await asyncio.wait({stopping}, timeout=_CLOSING_S))[0]:
            for writer in writers:
                if writer.transport.is_closing():
                    writer.transport.abort()
        await stopping
    finally:
        stopping.cancel()


async def _refusal(settings: BrokerSettings) -> str:
    """Return why TLS or the login fails; '' when the cause is another one.

    aiokafka hides the error of its first connection in its log, so this opens one more connection to see it.
    """
    if settings.protocol == "PLAINTEXT":
        return ""
    host, _, port = settings.servers[0].rpartition(":")
    options = settings.client_options()
    del options["bootstrap_servers"]
    connection = AIOKafkaConnection(host.strip("[]"), int(port), **options)
    try:
        async with asyncio.timeout(SAY_AFTER):
            await connection.connect()
    except ssl.SSLError as error:
        return f"TLS fails: {error.reason or error}"
    except (KafkaConnectionError, OSError, TimeoutError):
        return ""
    except (KafkaError, SummitryError) as error:
        return f"the login fails: {error}"
    finally:
        connection.close()
    return ""


def _why(error: Exception) -> str:
    """Return the error as a message for users: aiokafka's text of a failed connection lists address families."""
    if isinstance(error, KafkaConnectionError):
        return "no broker answers; check the address, and that it runs"
    return str(error) or type(error).__name__

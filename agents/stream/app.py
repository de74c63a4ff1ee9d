"""Make the Faust app, and add agents in the form that loses no record.

An agent reads raw bytes, one record at a time (`concurrency=1`), inside the guard, and never raises. Faust is used for
group membership, fair reading of several topics, back-pressure and committing offsets. Faust's tables are not used:
state is in compacted topics that are read when a partition is assigned (agents/store.py), so that the assembler's state
and the delivery log are recovered in the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

import faust
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, Consumer, Transport

from agents.stream.guard import Guard, TopicRecord, moment_of
from agents.stream.topics import TopicNames
from monitor.kafka import MAX_RECORD_BYTES, BrokerSettings

T = TypeVar("T")
R_contra = TypeVar("R_contra", contravariant=True)

#: Seconds until the partitions of a killed worker are assigned to others; Faust's default is a minute.
SESSION_TIMEOUT = 10.0
_HEARTBEAT = 3.0
_COMMIT_INTERVAL = 1.0
_FETCH_WAIT_MS = 100


class Handler(Protocol[R_contra]):
    """Handles one decoded record that came from `incoming`."""

    async def __call__(self, record: R_contra, /, incoming: TopicRecord) -> None:
        """Return once the record's effects are on the broker. The guard handles whatever it raises."""


class _ConsumerThread(AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:  # noqa: ANN401  # as Faust declares it
        """Make a consumer that waits only briefly for a fetch.

        Faust asks the broker to hold an empty fetch for 1.5 s. The embedded broker does so even when another topic of
        the same request has new records, so an article could wait that long at each of the three stages.
        """
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS  # noqa: SLF001  # Faust has no setting for it
        return consumer


class _Consumer(Consumer):
    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)


class _Transport(Transport):
    Consumer = _Consumer


class _App(faust.App):
    def _new_transport(self) -> _Transport:
        return _Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Do nothing: no state is kept on disk."""


def make_app(names: TopicNames, broker: BrokerSettings, *, instance_id: str | None = None) -> faust.App:
    """Make a Faust app without starting it. `instance_id` makes its group membership static across restarts."""
    return _App(
        names.group,
        broker=";".join(f"kafka://{server}" for server in broker.servers),
        broker_credentials=_credentials(broker),
        broker_session_timeout=SESSION_TIMEOUT,
        broker_heartbeat_interval=_HEARTBEAT,
        broker_commit_interval=_COMMIT_INTERVAL,
        broker_max_poll_records=500,
        consumer_group_instance_id=instance_id,
        consumer_max_fetch_size=MAX_RECORD_BYTES,
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=True,
        stream_recovery_delay=0.0,
        store="memory://",
        producer_threaded=False,
        value_serializer="raw",
        key_serializer="raw",
        web_enabled=False,
        worker_redirect_stdouts=False,
        autodiscover=False,
    )


def coordinator_of(app: faust.App) -> Any:  # noqa: ANN401  # aiokafka has no types
    """Return aiokafka's group coordinator, which sends the heartbeats, of an app that has partitions."""
    consumer: Any = app.consumer
    return consumer._thread._ensure_consumer()._coordinator  # noqa: SLF001  # Faust has no public access to it


def _credentials(broker: BrokerSettings) -> Any:  # noqa: ANN401  # Faust has no types
    if broker.tokens:
        return faust.OAuthCredentials(oauth_cb=broker.tokens(), ssl_context=broker.ssl_context())
    if broker.mechanism:
        return faust.SASLCredentials(
            username=broker.username,
            password=broker.password,
            mechanism=broker.mechanism,
            ssl_context=broker.ssl_context(),
        )
    if context := broker.ssl_context():
        return faust.SSLCredentials(context)
    return None


def add_agent(
    app: faust.App,
    topic: str,
    guard: Guard,
    decode: Callable[[bytes], T],
    handle: Handler[T],
) -> None:
    """Add an agent that reads `topic`, decodes each record and calls `handle` with it, inside `guard`."""

    async def read(stream: faust.StreamT[bytes]) -> None:
        async for event in stream.events():
            incoming = _incoming(event.message)
            await guard.run(incoming, decode, partial(handle, incoming=incoming))

    source = app.topic(topic, value_type=bytes, value_serializer="raw", key_serializer="raw")
    app.agent(source, name=guard.stage, concurrency=1)(read)


def _incoming(message: Any) -> TopicRecord:  # noqa: ANN401  # Faust has no types
    return TopicRecord(
        topic=message.topic,
        partition=message.partition,
        offset=message.offset,
        key=message.key,
        value=message.value,
        timestamp=moment_of(message.timestamp),
        headers=message.headers or (),
    )

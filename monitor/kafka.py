"""Connect to Kafka: connection settings, waiting for a broker, and the functions that read and write topics.

One URL says which broker, and how to log in:

    kafka://host:9092,host2:9092                         plain text
    kafka+ssl://host:9093?cafile=ca.pem                  TLS; `certfile` and `keyfile` for a client certificate
    kafka+sasl://user:password@host:9093?cafile=ca.pem   TLS and SASL; `mechanism` (SCRAM-SHA-512), `tls=false`

Producers wait for all in-sync replicas. They do not use Kafka's idempotent producer: the embedded broker has none, and
it is not needed. Handling a record twice has no second effect, since records have deterministic ids; and aiokafka sends
one batch at a time to a partition, so a retry keeps the order.
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias, cast
from urllib.parse import parse_qs, unquote, urlsplit

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import AbstractTokenProvider
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError, KafkaError

from monitor.config import Broker, Security
from monitor.errors import BrokerError, ConfigError, SummitryError
from monitor.record_batches import Unreadable  # this import makes consumers read batches in its way

#: The largest record, in bytes, that a topic takes. An event with thousands of articles stays well below it.
MAX_RECORD_BYTES = 4 * 1024 * 1024

_SCHEMES = {"kafka": "PLAINTEXT", "kafka+ssl": "SSL", "kafka+sasl": "SASL_SSL"}
_HOST = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]")
_OPTIONS = {"mechanism", "tls", "cafile", "certfile", "keyfile"}
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


@dataclass(frozen=True)
class BrokerSettings:
    """Where the broker is and how to log in. `str()` and `repr()` never show the password."""

    servers: tuple[str, ...]
    protocol: str = "PLAINTEXT"
    mechanism: str = ""
    username: str = ""
    password: str = ""
    cafile: str | None = None
    certfile: str | None = None
    keyfile: str | None = None
    keyfile_password: str | None = None
    tokens: Callable[[], AbstractTokenProvider] | None = None

    @classmethod
    def from_config(cls, broker: Broker) -> BrokerSettings:
        """Build the settings from the configuration.

        Raises ConfigError for the embedded broker: it has an address only inside `summitry up`.
        """
        if broker.url == "embedded":
            problem = "the embedded broker runs only inside `summitry up`"
            raise ConfigError("broker", "url", problem, "write host:9092 or give --broker")
        security = broker.security
        return replace(
            cls.from_url(broker.url),
            protocol=security.protocol,
            mechanism=security.mechanism if security.protocol.startswith("SASL") else "",
            username=security.username,
            password=security.password.reveal() if security.password else "",
            cafile=str(security.ca_file) if security.ca_file else None,
            certfile=str(security.cert_file) if security.cert_file else None,
            keyfile=str(security.key_file) if security.key_file else None,
            keyfile_password=security.key_password.reveal() if security.key_password else None,
            tokens=_tokens(security) if security.mechanism == "OAUTHBEARER" else None,
        )

    @classmethod
    def from_url(cls, url: str) -> BrokerSettings:
        """Build the settings from a broker URL. Raises ConfigError, whose message never contains the password."""
        try:
            parts = urlsplit(url if "://" in url else f"kafka://{url}")
        except ValueError as error:
            raise ConfigError("broker", "url", f"no address: {error}", "write kafka://host:9092") from None
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        protocol = _SCHEMES.get(parts.scheme)
        if protocol is None:
            raise ConfigError("broker", "url", f"unknown scheme {parts.scheme!r}", f"use one of {', '.join(_SCHEMES)}")
        if unknown := set(options) - _OPTIONS:
            raise ConfigError("broker", "url", f"unknown option {min(unknown)!r}", f"use {', '.join(sorted(_OPTIONS))}")
        login, _, hosts = parts.netloc.rpartition("@")
        servers = tuple(_server(host) for host in hosts.split(",") if host)
        if not servers:
            raise ConfigError("broker", "url", "no host in it", "write kafka://host:9092")
        username, _, password = login.partition(":")
        if protocol == "SASL_SSL":
            if options.get("mechanism") == "OAUTHBEARER":
                problem, fix = (
                    "a token does not fit into an address",
                    "write it under broker.security in the configuration",
                )
                raise ConfigError("broker", "url", problem, fix)
            if not username:
                raise ConfigError("broker", "url", "no user in it", "write kafka+sasl://user:password@host:9093")
            if options.get("tls", "true").lower() in {"false", "0", "no"}:
                protocol = "SASL_PLAINTEXT"
        return cls(
            servers=servers,
            protocol=protocol,
            mechanism=options.get("mechanism", "SCRAM-SHA-512") if protocol.startswith("SASL") else "",
            username=unquote(username),
            password=unquote(password),
            cafile=options.get("cafile"),
            certfile=options.get("certfile"),
            keyfile=options.get("keyfile"),
        )

    def __str__(self) -> str:
        return f"{self.protocol.lower()}://{','.join(self.servers)}"

    def __repr__(self) -> str:
        return f"BrokerSettings({self})"

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return the TLS settings, None for plain text. Raises ConfigError when a certificate file can't be read."""
        if not self.protocol.endswith("SSL"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.cafile)
            if self.certfile:
                context.load_cert_chain(self.certfile, self.keyfile, self.keyfile_password)
        except OSError as error:
            raise ConfigError("broker", "url", f"a certificate file can't be read: {error}") from error
        return context

    def client_options(self) -> dict[str, Any]:
        """Return the keyword arguments of any aiokafka client."""
        options: dict[str, Any] = {"bootstrap_servers": list(self.servers), "security_protocol": self.protocol}
        if context := self.ssl_context():
            options["ssl_context"] = context
        if self.mechanism:
            options["sasl_mechanism"] = self.mechanism
        if self.tokens:
            options["sasl_oauth_token_provider"] = self.tokens()
        elif self.mechanism:
            options["sasl_plain_username"] = self.username
            options["sasl_plain_password"] = self.password
        return options


def _tokens(security: Security) -> Callable[[], AbstractTokenProvider]:
    """Return a function that makes a token provider; each Kafka client gets its own."""
    from monitor.bearer_tokens import FileTokens, GrantedTokens  # noqa: PLC0415  # brings httpx, which few commands need

    if security.token_file is not None:
        return partial(FileTokens, security.token_file)
    secret = security.password.reveal() if security.password else ""
    cafile = str(security.ca_file) if security.ca_file else None
    return partial(
        GrantedTokens, security.token_url or "", security.username, secret, security.token_scope, cafile=cafile
    )


def _server(host: str) -> str:
    """Return `host:port`, with port 9092 added where it is missing. Raises ConfigError for an invalid name or port."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, "9092"
    try:
        known = bool(_HOST.fullmatch(name)) and bool(name.encode("idna"))
    except UnicodeError:
        known = False
    if not known or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigError("broker", "url", f"bad host and port {host!r}", "write host:9092")
    return f"{name}:{port}"


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


async def partitions_of(client: AIOKafkaConsumer, topic: str) -> list[int]:
    """Return the partitions of a topic. Raises BrokerError when it does not exist."""
    # aiokafka's public method knows the partitions of subscribed topics only.
    cluster = await client._client.fetch_all_metadata()  # noqa: SLF001
    if topic not in cluster.topics():
        raise BrokerError(f"no topic {topic}; `summitry topics create` makes it", reason="no_topic", retryable=False)
    found = cluster.partitions_for_topic(topic)
    if not found:
        raise BrokerError(f"topic {topic} has no partitions yet")
    return sorted(found)


async def read_to_end(
    settings: BrokerSettings, topic: str, partitions: Iterable[int] | None = None
) -> AsyncIterator[ConsumerRecord]:
    """Yield every record of a topic (or of some partitions) from its first offset to its current end.

    Records written meanwhile may be yielded too. Order is kept within a partition. Raises BrokerError when there is no
    broker or no such topic.
    """
    async with consumer(settings) as client:
        wanted = await partitions_of(client, topic) if partitions is None else sorted(partitions)
        assigned = [TopicPartition(topic, number) for number in wanted]
        if not assigned:
            return
        ends = await client.end_offsets(assigned)
        begins = await client.beginning_offsets(assigned)
        client.assign(assigned)
        for partition in assigned:
            client.seek(partition, begins[partition])
        todo = {p for p in assigned if begins[p] < ends[p]}
        while todo:
            batches = await client.getmany(*todo, timeout_ms=500)
            # Records after the end offset are yielded as well. They were written meanwhile, or the embedded broker gave
            # an end offset that is too small: when the last batch has several records, it counts only the first.
            for records in batches.values():
                for record in records:
                    yield record
            # Compare positions, not offsets of records: compaction may have removed the last records.
            todo = {p for p in todo if await client.position(p) < ends[p]}


async def read_at(settings: BrokerSettings, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
    """Return the record at one offset, or None when the topic has no such partition or record (any more).

    Raises BrokerError when there is no broker or no such topic.
    """
    place = TopicPartition(topic, partition)
    async with consumer(settings) as client:
        if partition not in await partitions_of(client, topic):
            return None
        begins, ends = await client.beginning_offsets([place]), await client.end_offsets([place])
        if not begins[place] <= offset < ends[place]:
            return None
        client.assign([place])
        client.seek(place, offset)
        record = await client.getone()
    return record if record.offset == offset else None


#: Tells whether a record of a compacted topic counts. The state of a key is its last record that counts.
Keep = Callable[[ConsumerRecord], Awaitable[bool]]


async def keep_all(record: ConsumerRecord) -> bool:
    """Return True for every record whose bytes could be read."""
    return not isinstance(record.value, Unreadable)


async def read_compacted(
    settings: BrokerSettings, topic: str, partitions: Iterable[int] | None = None, *, keep: Keep = keep_all
) -> dict[str, bytes]:
    """Return the last value of each key of a compacted topic. Deleted keys (null values) are left out.

    Keys are decoded as UTF-8. Records without a key, and those for which `keep` returns False, are skipped. Raises
    BrokerError when there is no broker or no such topic.
    """
    values: dict[str, bytes] = {}
    async for record in read_to_end(settings, topic, partitions):
        if not await keep(record) or record.key is None:
            continue
        if record.value is None:
            values.pop(_key(record), None)
        else:
            values[_key(record)] = record.value
    return values


async def follow(settings: BrokerSettings, *topics: str, from_beginning: bool = False) -> AsyncIterator[ConsumerRecord]:
    """Yield every record of some topics as it is written, for ever, without a consumer group.

    Starts at the end of each topic, or at its beginning with `from_beginning`. Raises BrokerError when there is no
    broker or no such topic.
    """
    async with consumer(settings) as client:
        assigned = [TopicPartition(topic, number) for topic in topics for number in await partitions_of(client, topic)]
        offsets = await (client.beginning_offsets(assigned) if from_beginning else client.end_offsets(assigned))
        client.assign(assigned)
        for partition in assigned:
            client.seek(partition, offsets[partition])
        while True:
            yield await client.getone()


async def follow_compacted(
    settings: BrokerSettings, *topics: str, keep: Keep = keep_all
) -> AsyncIterator[dict[tuple[str, str], bytes | None]]:
    """Yield the state of some compacted topics, and then each change of it, for ever.

    The keys of the dictionaries are (topic, key). The first dictionary is the whole state, without deleted keys. Each
    later one has a single change; None means that the key was deleted. No change is missed in between. Records for
    which `keep` returns False are skipped. Raises BrokerError when there is no broker or no such topic.
    """
    async with consumer(settings) as client:
        assigned = [TopicPartition(topic, number) for topic in topics for number in await partitions_of(client, topic)]
        ends, begins = await client.end_offsets(assigned), await client.beginning_offsets(assigned)
        client.assign(assigned)
        for partition in assigned:
            client.seek(partition, begins[partition])
        state: dict[tuple[str, str], bytes | None] = {}
        todo = {p for p in assigned if begins[p] < ends[p]}
        while todo:
            for partition, records in (await client.getmany(*todo, timeout_ms=500)).items():
                for record in records:
                    if await keep(record):
                        state[partition.topic, _key(record)] = record.value
            todo = {p for p in todo if await client.position(p) < ends[p]}
        yield {key: value for key, value in state.items() if value is not None}
        while True:
            record = await client.getone()
            if await keep(record):
                yield {(record.topic, _key(record)): record.value}


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


def _key(record: ConsumerRecord) -> str:
    return cast("bytes", record.key or b"").decode(errors="surrogateescape")

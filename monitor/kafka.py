"""The way to Kafka: connection settings, waiting for a broker, and the few shapes in which topics are read and written.

A broker is named by one URL:

    kafka://host:9092,host2:9092                         plain text
    kafka+ssl://host:9093?cafile=ca.pem                  TLS; `certfile` and `keyfile` for a client certificate
    kafka+sasl://user:password@host:9093?cafile=ca.pem   TLS and SASL; `mechanism` (SCRAM-SHA-512), `tls=false`

Producers wait for all in-sync replicas and are not "idempotent" in Kafka's sense: every effect in this project is
idempotent by its record's id, aiokafka keeps one batch in flight for each partition (so a retry keeps the order), and
the embedded broker knows no producer ids.
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
from typing import Any, cast
from urllib.parse import parse_qs, unquote, urlsplit

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.abc import AbstractTokenProvider
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import KafkaConnectionError, KafkaError

from monitor.config import Broker, Security
from monitor.errors import BrokerError, ConfigError, SummitryError
from monitor.record_batches import Unreadable  # this import makes consumers read batches in its way

#: The largest record in bytes that any topic takes: an event with a very large coverage stays well below.
MAX_RECORD_BYTES = 4 * 1024 * 1024

_SCHEMES = {"kafka": "PLAINTEXT", "kafka+ssl": "SSL", "kafka+sasl": "SASL_SSL"}
_HOST = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]")
_OPTIONS = {"mechanism", "tls", "cafile", "certfile", "keyfile"}
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
#: How long one attempt may take (seconds); the first one is shorter, so that the log speaks in time.
_PATIENCE = 10.0
#: A broker that is waited for is said in the log after the first time, and again each second time (seconds).
SAY_AFTER, SAY_EVERY = 3.0, 60.0

logger = logging.getLogger(__name__)  # commands set up no logs: a warning goes to standard error then


@dataclass(frozen=True)
class BrokerSettings:
    """Where the broker is and how to log in. Its text form never shows the password."""

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
        """The broker of the configuration; raises ConfigError when that is the embedded one, which has no address."""
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
        """Read a broker URL; raises ConfigError that never repeats its password."""
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
        """The TLS settings, None for plain text. Raises ConfigError when a certificate file can't be read."""
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
        """Keyword arguments for any aiokafka client."""
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
    """Give what makes the source of tokens of one client."""
    from monitor.bearer_tokens import FileTokens, GrantedTokens  # noqa: PLC0415  # brings httpx, which few commands need

    if security.token_file is not None:
        return partial(FileTokens, security.token_file)
    secret = security.password.reveal() if security.password else ""
    cafile = str(security.ca_file) if security.ca_file else None
    return partial(
        GrantedTokens, security.token_url or "", security.username, secret, security.token_scope, cafile=cafile
    )


def _server(host: str) -> str:
    """Give `host:port` with its port. Raises ConfigError for what no resolver would take."""
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
    """Return once a broker answers; try again with growing pauses until then.

    `waiting` is told what is waited for, after each attempt that failed; the log is told after SAY_AFTER seconds and
    each SAY_EVERY seconds from then on. Raises BrokerError after `within` seconds; its message has the last refusal.
    """
    began, pause, last = time.monotonic(), _FIRST_PAUSE, "no answer"
    say_after, patience = SAY_AFTER, SAY_AFTER
    while True:
        left = began + within - time.monotonic()
        client = AIOKafkaAdminClient(**settings.client_options(), request_timeout_ms=5000)
        try:
            async with asyncio.timeout(max(0.05, min(left, patience))):
                await client.start()
                await client.list_topics()
        except (KafkaError, BrokerError, OSError, TimeoutError, UnicodeError) as error:
            last = await _refusal(settings) or _why(error)
        else:
            return
        finally:
            await client.close()
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
async def producer(settings: BrokerSettings, **options: object) -> AsyncIterator[AIOKafkaProducer]:
    """A started producer that waits for all in-sync replicas; it is flushed and stopped at the end.

    Raises BrokerError when no broker answers.
    """
    options = {"acks": "all", "linger_ms": 5, "max_request_size": MAX_RECORD_BYTES, **options}
    client = AIOKafkaProducer(**settings.client_options(), **options)
    await _started(client, f"no producer at {settings}")
    try:
        yield client
    finally:
        await client.stop()


@asynccontextmanager
async def consumer(settings: BrokerSettings, *topics: str, **options: object) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a started consumer that never commits by itself; it is stopped at the end.

    Raises BrokerError when no broker answers, and for what Kafka's client raises inside of the block.
    """
    options = {"enable_auto_commit": False, "max_partition_fetch_bytes": MAX_RECORD_BYTES, **options}
    client = AIOKafkaConsumer(*topics, **settings.client_options(), **options)
    await _started(client, f"no consumer at {settings}")
    # aiokafka's stop() raises CancelledError when its tasks have not had a first turn yet.
    await asyncio.sleep(0)
    try:
        yield client
    except KafkaError as error:
        raise BrokerError(f"the consumer at {settings} failed: {_why(error)}") from error
    finally:
        await client.stop()


async def _started(client: AIOKafkaProducer | AIOKafkaConsumer, problem: str) -> None:
    """Start a client; one that does not start is stopped, also when nobody waits any longer. Raises BrokerError."""
    try:
        await client.start()
    except BaseException as error:
        await client.stop()
        if isinstance(error, KafkaError | OSError | UnicodeError):
            raise BrokerError(f"{problem}: {_why(error)}") from error
        raise


async def partitions_of(client: AIOKafkaConsumer, topic: str) -> list[int]:
    """The partitions of a topic. Raises BrokerError when it does not exist."""
    # aiokafka tells the partitions of subscribed topics only.
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
    """Every record of a topic (or of some of its partitions) from its beginning to its end of now, or a bit further.

    Order is kept within a partition. Raises BrokerError when there is no broker or no such topic.
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
            # What lies behind the end was written meanwhile; or the embedded broker said too little: with a batch of
            # several records at the end, its end offset is that of the batch's first record plus one.
            for records in batches.values():
                for record in records:
                    yield record
            # The position passes the end over records that compaction removed, too.
            todo = {p for p in todo if await client.position(p) < ends[p]}


async def read_at(settings: BrokerSettings, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
    """Give the record at one offset, None when the topic has none there (any more). Raises BrokerError."""
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


#: Says whether a record of a compacted topic is to be taken; the last value of a key that was taken stands.
Keep = Callable[[ConsumerRecord], Awaitable[bool]]


async def keep_all(record: ConsumerRecord) -> bool:
    """Take every record whose bytes could be read."""
    return not isinstance(record.value, Unreadable)


async def read_compacted(
    settings: BrokerSettings, topic: str, partitions: Iterable[int] | None = None, *, keep: Keep = keep_all
) -> dict[str, bytes]:
    """Give the last value of each key of a compacted topic, as of now; deleted keys (null values) are left out.

    Keys are read as UTF-8; records without a key, and those that `keep` refuses, are passed over. Raises BrokerError as
    `read_to_end` does.
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
    """Every record of some topics as it comes, for ever, without a consumer group.

    From the end of each topic, or from its beginning. Raises BrokerError when there is no broker or no such topic.
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
    """Give the state of some compacted topics and then each change of it, for ever, by topic and key.

    The first dictionary is the whole state of now, without what was deleted; each later one is one change, None for a
    deletion. Nothing falls between them. What `keep` refuses is passed over. Raises BrokerError when there is no broker
    or no such topic.
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
    """Say why a broker that is there takes no login; empty when that is not the reason.

    aiokafka only logs what its first connection met, so one is made for the answer's sake.
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
    """An error for people: aiokafka's own text of "nobody is there" lists address families."""
    if isinstance(error, KafkaConnectionError):
        return "no broker answers; check the address, and that it runs"
    return str(error) or type(error).__name__


def _key(record: ConsumerRecord) -> str:
    return cast("bytes", record.key or b"").decode(errors="surrogateescape")

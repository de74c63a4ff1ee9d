"""Cases for the keys of `broker` and `topics`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, Self

import pytest
from aiokafka.abc import AbstractTokenProvider

from agents.process.embedded import free_port
from agents.process.startup import start_up
from agents.stream import topics
from monitor.config import Config
from monitor.errors import BrokerError, ConfigError
from monitor.kafka import BrokerSettings
from tests.feedserver import FeedServer, Reply
from tests.monitor.config.settings.case import Case, case

_SASL = {
    "broker.url": "a:1",
    "broker.security.protocol": "SASL_PLAINTEXT",
    "broker.security.username": "ada",
    "broker.security.password": "one",
}
_BEARER = {
    "broker.url": "a:1",
    "broker.security.protocol": "SASL_PLAINTEXT",
    "broker.security.mechanism": "OAUTHBEARER",
}
_GRANTED = _SASL | _BEARER
_TLS = {"broker.url": "a:1", "broker.security.protocol": "SSL"}
#: Files of test_each_setting.py: a certificate with its key, and with the same key behind a password.
_CLIENT = {
    **_TLS,
    "broker.security.cert_file": "ada.pem",
    "broker.security.key_file": "ada.key",
}
_LOCKED = {**_TLS, "broker.security.cert_file": "ada.pem", "broker.security.key_file": "ada-locked.key"}


def client(option: str) -> Callable[[Config], object]:
    """Give what every Kafka client is told of one option."""
    return lambda config: BrokerSettings.from_config(config.broker).client_options().get(option)


def trusted(config: Config) -> int:
    """Count the authorities whose word for a broker is taken."""
    context = BrokerSettings.from_config(config.broker).ssl_context()
    assert context is not None
    return len(context.get_ca_certs())


def certificate(config: Config) -> str:
    """Say whether the client's certificate can be shown to a broker."""
    try:
        BrokerSettings.from_config(config.broker).ssl_context()
    except ConfigError:
        return "refused"
    return "loaded"


async def patience(config: Config) -> str:
    """Say how long a process waited for a broker that is not there."""
    nobody = BrokerSettings.from_url(f"127.0.0.1:{free_port()}")
    with pytest.raises(BrokerError) as caught:
        await start_up(config, nobody, 0, asyncio.Event())
    found = re.search(r"within (\S+) s", str(caught.value))
    assert found
    return found[1]


async def token(config: Config) -> str:
    """Give the token that is shown to a broker, or why there is none."""
    provider = client("sasl_oauth_token_provider")(config)
    assert isinstance(provider, AbstractTokenProvider)
    try:
        return str(await provider.token())
    except BrokerError as error:
        return error.reason


class TokenServer:
    """An authorization server, in the form that the tables take."""

    def __init__(self) -> None:
        self.http, self.url = FeedServer(), ""

    async def __aenter__(self) -> Self:
        await self.http.__aenter__()
        self.url = self.http.url("")
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.http.__aexit__(*exc)


async def asked_scope(config: Config, server: TokenServer) -> str:
    """Give the scope that an authorization server is asked for."""
    server.http.on("/token", Reply(200, b'{"access_token": "granted", "expires_in": 60}'))
    assert await token(config) == "granted"
    return server.http.requests[-1].body.decode().partition("scope=")[2]


async def asked_path(config: Config, server: TokenServer) -> str:
    """Give the path of the authorization server that is asked."""
    await token(config)
    return server.http.requests[-1].path


def declared(topic: str, what: Callable[[topics.Topic], Any]) -> Callable[[Config], Any]:
    """Give something of one declared topic."""
    return lambda config: next(what(each) for each in topics.declare(config.topics) if each.name.endswith(topic))


class _Admin:
    """A cluster that makes every topic that it is asked for."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def create_topics(self, wanted: list[Any]) -> SimpleNamespace:
        self.asked += wanted
        return SimpleNamespace(topic_errors=[(topic.name, 0, "") for topic in wanted])

    async def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        counts = {topic.name: topic.num_partitions for topic in self.asked}
        return [{"topic": name, "partitions": [{"leader": 0}] * counts[name]} for name in names]


async def copies(config: Config) -> set[int]:
    """Give how many copies of each partition a cluster is asked for."""
    admin = _Admin()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(topics, "admin_client", lambda *_: nullcontext(admin))
        await topics.create(BrokerSettings(servers=("a:1",)), config.topics)
    return {topic.replication_factor for topic in admin.asked}


ROWS: tuple[Case, ...] = (
    case("broker.url", client("bootstrap_servers"), ("a:1", ["a:1"]), ("b:2,c:3", ["b:2", "c:3"])),
    case("broker.connect_timeout", patience, (0.05, "0.05"), (0.1, "0.1")),
    case("broker.security.protocol", client("security_protocol"), *[(p, p) for p in ("SASL_PLAINTEXT", "SASL_SSL")],
         given=_SASL),
    case("broker.security.mechanism", client("sasl_mechanism"), *[(m, m) for m in ("PLAIN", "SCRAM-SHA-256")],
         given=_SASL),
    case("broker.security.token_file", token, ("ada.token", "ada's"), ("bob.token", "bob's"), given=_BEARER),
    case("broker.security.token_url", asked_path, ("$url/one", "/one"), ("$url/two", "/two"), given=_GRANTED,
         server=TokenServer),
    case("broker.security.token_scope", asked_scope, ("", ""), ("kafka", "kafka"),
         given=_GRANTED | {"broker.security.token_url": "$url/token"}, server=TokenServer),
    case("broker.security.username", client("sasl_plain_username"), ("ada", "ada"), ("bob", "bob"), given=_SASL),
    case("broker.security.password", client("sasl_plain_password"), ("one", "one"), ("two", "two"), given=_SASL),
    case("broker.security.ca_file", trusted, ("one-authority.pem", 1), ("two-authorities.pem", 2), given=_TLS),
    case("broker.security.cert_file", certificate, ("ada.pem", "loaded"), ("bob.pem", "refused"), given=_CLIENT),
    case("broker.security.key_file", certificate, ("ada.key", "loaded"), ("bob.key", "refused"), given=_CLIENT),
    case("broker.security.key_password", certificate, ("right", "loaded"), ("wrong", "refused"), given=_LOCKED),
    case("topics.prefix", declared(".articles", lambda topic: topic.name), ("a", "a.articles"), ("b", "b.articles")),
    case("topics.partitions", declared(".articles", lambda topic: topic.partitions), (2, 2), (8, 8)),
    case("topics.replication", copies, (1, {1}), (3, {3})),
    case("topics.retention", declared(".articles", lambda topic: topic.config["retention.ms"]),
         ("1h", "3600000"), ("2d", "172800000")),
)  # fmt: skip

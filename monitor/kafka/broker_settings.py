"""Say which broker to connect to and how to log in: `BrokerSettings`, from the configuration or from one URL.

kafka://host:9092,host2:9092                         plain text
kafka+ssl://host:9093?cafile=ca.pem                  TLS; `certfile` and `keyfile` for a client certificate
kafka+sasl://user:password@host:9093?cafile=ca.pem   TLS and SASL; `mechanism` (SCRAM-SHA-512), `tls=false`
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from aiokafka.abc import AbstractTokenProvider

from monitor.config import Broker, Security
from monitor.errors import ConfigError

_SCHEMES = {"kafka": "PLAINTEXT", "kafka+ssl": "SSL", "kafka+sasl": "SASL_SSL"}
_HOST = re.compile(r"[\w.-]+|\[[0-9a-fA-F:.]+\]")
_OPTIONS = {"mechanism", "tls", "cafile", "certfile", "keyfile"}


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

"""Run Apache Kafka with TLS, logins and access lists, with its own certificate authority and token issuer.

Three listeners take clients: SCRAM-SHA-512 and OAUTHBEARER over TLS, and TLS with a client's certificate. Whoever has
no entry in the access lists may do nothing. The test itself is the superuser, on the plain listener of loopback.
"""

from __future__ import annotations

import base64
import json
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

import trustme
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from agents.process.embedded import free_port
from tests.brokers import ApacheKafka

_ISSUER, _AUDIENCE = "https://login.example", "summitry"
_BEARER = "org.apache.kafka.common.security.oauthbearer"
_PROPERTIES = """\
listeners=PLAINTEXT://127.0.0.1:{port},SCRAM://127.0.0.1:{scram},BEARER://127.0.0.1:{bearer},\
MUTUAL://127.0.0.1:{mutual},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SCRAM://127.0.0.1:{scram},BEARER://127.0.0.1:{bearer},\
MUTUAL://127.0.0.1:{mutual}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SCRAM:SASL_SSL,BEARER:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.pem
ssl.principal.mapping.rules=RULE:^.*CN=([a-z]+).*$/$1/
listener.name.mutual.ssl.client.auth=required
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.bearer.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.bearer.oauthbearer.sasl.jaas.config={package}.OAuthBearerLoginModule required;
listener.name.bearer.oauthbearer.sasl.server.callback.handler.class={package}.OAuthBearerValidatorCallbackHandler
sasl.oauthbearer.jwks.endpoint.url={keys}
sasl.oauthbearer.expected.issuer={issuer}
sasl.oauthbearer.expected.audience={audience}
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


#: A line of the authorizer's log.
_JUDGED = re.compile(
    r"Principal = User:(\S+) is (Allowed|Denied) operation = (\w+) from host = \S+ on resource = (\w+):LITERAL:(\S+)"
)


class Judgement(NamedTuple):
    """Whether a user was allowed to do something."""

    user: str
    verdict: str
    operation: str
    kind: str
    name: str


class SecuredKafka(ApacheKafka):
    """The broker, and the logins of its users as the section `broker` of a configuration."""

    starts_within = 180.0
    log4j = Path(__file__).with_name("authorizer-log4j2.properties")

    def __init__(self, *users: str) -> None:
        super().__init__()
        self.ports = {"scram": free_port(), "bearer": free_port(), "mutual": free_port()}
        self._authority, self._key = trustme.CA(), rsa.generate_private_key(65537, 2048)
        self.ca_file = self.folder / "ca.pem"
        self._authority.cert_pem.write_to_path(str(self.ca_file))
        self._write_certificate("server", self._authority.issue_cert("127.0.0.1"))
        keys = self.folder / "keys.json"
        keys.write_text(json.dumps({"keys": [self._public()]}))
        self.format_options = tuple(
            word for user in users for word in ("--add-scram", f"SCRAM-SHA-512=[name={user},password=of-{user}]")
        )
        self.java_options = (f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={keys.as_uri()}",)
        self._more = _PROPERTIES.format(
            port=self.port, controller=self.controller, folder=self.folder, package=_BEARER, keys=keys.as_uri(),
            issuer=_ISSUER, audience=_AUDIENCE, **self.ports,
        )  # fmt: skip

    def scram(self, user: str, password: str = "") -> dict[str, Any]:
        """Log in by password."""
        return self._section(
            "scram", protocol="SASL_SSL", mechanism="SCRAM-SHA-512", username=user, password=password or f"of-{user}"
        )

    def bearer(self, **where: str) -> dict[str, Any]:
        """Log in by a token: give `token_file`, or `token_url` with `username` and `password`."""
        return self._section("bearer", protocol="SASL_SSL", mechanism="OAUTHBEARER", **where)

    def mutual(self, user: str) -> dict[str, Any]:
        """Log in by a client's certificate."""
        path = self._write_certificate(user, self._authority.issue_cert(f"{user}.example", common_name=user))
        return self._section("mutual", protocol="SSL", cert_file=str(path))

    def token(self, user: str, life: float = 3600) -> str:
        """Sign a token (RFC 7519) for a user."""
        now = int(time.time())
        claims = {"sub": user, "iss": _ISSUER, "aud": _AUDIENCE, "iat": now, "exp": now + int(life)}
        signed = f"{_base64({'alg': 'RS256', 'kid': 'one'})}.{_base64(claims)}"
        return f"{signed}.{_url(self._key.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"

    def judgements(self) -> set[Judgement]:
        """What users asked for so far, as the authorizer logged it."""
        text = (self.folder / "broker.log").read_text(errors="replace")
        return {
            Judgement(user, verdict, operation.upper(), kind.lower(), name)
            for user, verdict, operation, kind, name in _JUDGED.findall(text)
        }

    def _section(self, listener: str, **security: str) -> dict[str, Any]:
        return {
            "url": f"127.0.0.1:{self.ports[listener]}",
            "connect_timeout": "20s",
            "security": {"ca_file": str(self.ca_file), **security},
        }

    def _write_certificate(self, name: str, issued: trustme.LeafCert) -> Path:
        """Write a key (PKCS #8, which Java wants) and its certificates into one file."""
        key = load_pem_private_key(issued.private_key_pem.bytes(), None)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = self.folder / f"{name}.pem"
        path.write_bytes(text + b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return path

    def _public(self) -> dict[str, str]:
        """Give the key that tokens are checked with (RFC 7517)."""
        numbers = self._key.public_key().public_numbers()
        parts = {"n": numbers.n.to_bytes(256), "e": numbers.e.to_bytes(3)}
        return {"kty": "RSA", "kid": "one", "alg": "RS256", "use": "sig"} | {k: _url(v) for k, v in parts.items()}


def _url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _base64(value: dict[str, Any]) -> str:
    return _url(json.dumps(value).encode())

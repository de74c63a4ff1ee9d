"""Check what types can't express: names that must exist, addresses, time zones, settings that contradict each other."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from monitor.config.sections import (
    Broker,
    Config,
    EmailReceiver,
    KafkaReceiver,
    Match,
    Security,
    SlackBotReceiver,
    SlackWebhookReceiver,
    WebhookReceiver,
)
from monitor.config.source import KeyPath, did_you_mean

#: The key's path, the problem, and how to fix it.
Mistake: TypeAlias = tuple[KeyPath, str, str]

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:]+\]|[^\s:/,]+):[0-9]{1,5}")
_HOST = re.compile(r"[\w.-]+|\[?[0-9A-Fa-f:.]+\]?")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_RECEIVER_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_MAIL = re.compile(r"[^\s@<>]+@[^\s@<>]+|[^<>\r\n]+<[^\s@<>]+@[^\s@<>]+>")


def mistakes(config: Config) -> Iterator[Mistake]:
    """Yield every mistake of a configuration whose types are right, in the order of its sections."""
    yield from _broker(config.broker, ("broker",))
    poller = config.poller
    if poller.floor > poller.ceiling:
        yield ("poller", "floor"), "is longer than poller.ceiling", "make the floor the shorter one, e.g. 5m and 4h"
    yield from _networks(poller.allow_private_networks, ("poller", "allow_private_networks"))
    if poller.websub_callback is not None:
        yield from _web_url(poller.websub_callback, ("poller", "websub_callback"))
    if config.board.url:
        yield from _web_url(config.board.url, ("board", "url"))
    if config.tracing.endpoint:
        yield from _web_url(config.tracing.endpoint, ("tracing", "endpoint"))
    for number, language in enumerate(config.detection.languages):
        if not re.fullmatch(r"[a-z]{2,3}", language):
            yield ("detection", "languages", number), f"'{language}' is not a language code", "write it like en or ru"
    yield from _receivers(config)
    yield from _routes(config)
    yield from _silences(config)
    alerts = config.alerts
    if not alerts.retries:
        yield ("alerts", "retries"), "is empty", "give at least one wait, e.g. [5s, 5m, 30m]"
    oldest = max([alerts.max_age, *(route.max_age for route in config.routes if route.max_age)])
    if alerts.remember < oldest:
        wrong = "is shorter than a max_age, so an event could be alerted twice"
        yield (
            ("alerts", "remember"),
            wrong,
            f"make it longer than alerts.max_age of all routes, e.g. {oldest.days + 7}d",
        )
    if alerts.heartbeat:
        yield from _known(alerts.heartbeat.receivers, config, ("alerts", "heartbeat", "receivers"))
    if alerts.acknowledge:
        yield from _web_url(alerts.acknowledge.url, ("alerts", "acknowledge", "url"))
        if len(alerts.acknowledge.secret.reveal()) < 16:
            yield ("alerts", "acknowledge", "secret"), "is too short to sign with", "give 16 characters or more"
    if alerts.templates and not alerts.templates.is_dir():
        yield ("alerts", "templates"), f"there is no folder {alerts.templates}", "give a folder with template files"


def _broker(broker: Broker, path: KeyPath) -> Iterator[Mistake]:
    if "@" in broker.url or "+" in broker.url.partition("://")[0]:
        # The address may contain a password, so the message does not repeat it.
        yield (*path, "url"), "has a login or a protocol in it", "write host:port, and the rest under broker.security"
    elif broker.url != "embedded":
        for address in broker.url.removeprefix("kafka://").split(","):
            if not _ADDRESS.fullmatch(address.strip()):
                fix = "write embedded, or host:port addresses, e.g. kafka-1:9092,kafka-2:9092"
                yield (*path, "url"), f"'{address.strip()}' is not a broker's address", fix
    yield from _login(broker.security, (*path, "security"))
    for key in ("ca_file", "cert_file", "key_file"):
        file = getattr(broker.security, key)
        if file is not None and not file.is_file():
            yield (*path, "security", key), f"there is no file {file}", "give the path of a PEM file"


def _login(security: Security, path: KeyPath) -> Iterator[Mistake]:
    """Yield a mistake for each key of the login that is missing, and for each that its mechanism does not use."""
    if not security.protocol.startswith("SASL"):
        for key in ("password", "token_file", "token_url"):
            if getattr(security, key) is not None:
                fix = f"set protocol: SASL_SSL, or remove the {key}"
                yield (*path, key), f"{security.protocol} uses no {key}", fix
        return
    bearer = security.mechanism == "OAUTHBEARER"
    if bearer and (security.token_file is None) == (security.token_url is None):
        yield (*path, "token_file"), "OAUTHBEARER takes one of token_file and token_url", "give one of them"
    if not bearer and (security.token_file or security.token_url):
        yield (*path, "mechanism"), f"{security.mechanism} uses no token", "set mechanism: OAUTHBEARER"
    if security.token_url is not None:
        yield from _web_url(security.token_url, (*path, "token_url"))
    if not bearer or security.token_url is not None:
        if not security.username:
            yield (*path, "username"), f"{security.protocol} needs one", "add 'username: NAME'"
        if security.password is None:
            yield (*path, "password"), f"{security.protocol} needs one", "add 'password: {env: NAME}'"


def _networks(networks: tuple[str, ...], path: KeyPath) -> Iterator[Mistake]:
    for number, network in enumerate(networks):
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield (*path, number), f"'{network}' is not a network", "write it like 10.0.0.0/8 or fd00::/8"


def _web_url(url: str, path: KeyPath, *, secret: bool = False) -> Iterator[Mistake]:
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        login = "@" in parts.netloc
    except ValueError:
        good, login = False, False
    if not good or any(character.isspace() for character in url):
        what = "it" if secret or "@" in url else f"'{url[:60]}'"
        yield path, f"{what} is not a web address", "write it like https://example.org/hook"
    elif login and not secret:
        yield path, "has a login in it, which is shown where the address is", "leave the login out"


def _zone(zone: str, path: KeyPath) -> Iterator[Mistake]:
    try:
        ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        yield path, f"there is no time zone '{zone}'", "write it like Europe/Berlin"


def _known(names: tuple[str, ...], config: Config, path: KeyPath) -> Iterator[Mistake]:
    if not names:
        yield path, "names no receiver", f"one or more of {', '.join(config.receivers)}"
    for number, name in enumerate(names):
        if name not in config.receivers:
            yield (*path, number), f"there is no receiver '{name}'", did_you_mean(name, config.receivers)


def _receivers(config: Config) -> Iterator[Mistake]:
    if not config.receivers:
        yield ("receivers",), "is empty", "add one, e.g. 'console: {type: console}'"
    for name, receiver in config.receivers.items():
        path: KeyPath = ("receivers", name)
        if not _RECEIVER_NAME.fullmatch(name):
            yield path, f"'{name}' can't be a receiver's name", "use lower-case letters, digits, - and _"
        yield from _zone(receiver.zone, (*path, "zone"))
        match receiver:
            case WebhookReceiver():
                yield from _webhook(receiver, path)
            case SlackBotReceiver():
                yield from _slack(receiver, path)
            case SlackWebhookReceiver():
                yield from _web_url(receiver.url.reveal(), (*path, "url"), secret=True)
                yield from _networks(receiver.allow_private_networks, (*path, "allow_private_networks"))
            case EmailReceiver():
                yield from _email(receiver, path)
            case KafkaReceiver(broker=Broker() as broker):
                yield from _broker(broker, (*path, "broker"))
            case _:
                pass


def _webhook(receiver: WebhookReceiver, path: KeyPath) -> Iterator[Mistake]:
    yield from _web_url(receiver.url.reveal(), (*path, "url"), secret=True)
    yield from _networks(receiver.allow_private_networks, (*path, "allow_private_networks"))
    if not receiver.secrets:
        yield (*path, "secrets"), "is empty", "give one or more, e.g. [{env: WEBHOOK_SECRET}]"
    for number, secret in enumerate(receiver.secrets):
        if not _signing_key(secret.reveal()):
            fix = "write whsec_ and base64 of 24 to 64 random bytes"
            yield (*path, "secrets", number), "is not a Standard Webhooks secret", fix


def _slack(receiver: SlackBotReceiver, path: KeyPath) -> Iterator[Mistake]:
    if not receiver.token.reveal().startswith("xox"):
        yield (*path, "token"), "is not a Slack token", "give the bot token, which starts with xoxb-"
    if not re.fullmatch(r"[CGD][A-Z0-9]{6,}", receiver.channel):
        fix = "give the id from the channel's details, e.g. C0123456789"
        yield (*path, "channel"), f"'{receiver.channel}' is not a channel id", fix
    yield from _web_url(receiver.api_url, (*path, "api_url"))


def _email(receiver: EmailReceiver, path: KeyPath) -> Iterator[Mistake]:
    if not _HOST.fullmatch(receiver.host):
        yield (
            (*path, "host"),
            "is not the name of a host",
            "write it like mail.example.org; the port and login have keys",
        )
    if not receiver.to:
        yield (*path, "to"), "is empty", "give one or more addresses, e.g. [desk@example.org]"
    places: list[tuple[KeyPath, str]] = [((*path, "sender"), receiver.sender)]
    places += [((*path, "to", number), address) for number, address in enumerate(receiver.to)]
    for place, address in places:
        if not _MAIL.fullmatch(address):
            yield place, f"'{address}' is not a mail address", "write it like desk@example.org"


def _signing_key(text: str) -> bool:
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return False
    return text.startswith("whsec_") and 24 <= len(key) <= 64


def match_mistakes(match: Match, path: KeyPath) -> Iterator[Mistake]:
    """Yield the conditions that no event can meet, whatever the watchlist: empty names, and pairs without two names."""
    for key, names in (("leaders", match.leaders), ("countries", match.countries)):
        for number, name in enumerate(names):
            if not name.strip():
                yield (*path, key, number), "is empty", "write a name, such as xi-jinping or China"
    for number, pair in enumerate(match.pairs):
        if [bool(name.strip()) for name in pair.split("+")] != [True, True]:
            yield (*path, "pairs", number), f"'{pair}' is not a pair", "write two leaders like putin+xi"


def _routes(config: Config) -> Iterator[Mistake]:
    seen: set[str] = set()
    for number, route in enumerate(config.routes):
        path: KeyPath = ("routes", number)
        if route.name in seen:
            yield (*path, "name"), f"'{route.name}' is the name of an earlier route", "give each route its own name"
        seen.add(route.name)
        yield from _known(route.receivers, config, (*path, "receivers"))
        yield from match_mistakes(route.match, (*path, "match"))
        if route.exclude:
            yield from match_mistakes(route.exclude, (*path, "exclude"))
        if not route.statuses:
            yield (*path, "statuses"), "is empty", "leave it out for the default, or give some, e.g. [held]"
        if route.quiet_hours:
            yield from _zone(route.quiet_hours.zone, (*path, "quiet_hours", "zone"))
            if route.quiet_hours.start == route.quiet_hours.end:
                yield (*path, "quiet_hours", "end"), "is the same as start", "end them at another time of day"
            if route.quiet_hours.bypass:
                yield from match_mistakes(route.quiet_hours.bypass, (*path, "quiet_hours", "bypass"))
        if route.digest:
            yield from _zone(route.digest.zone, (*path, "digest", "zone"))
            if not route.digest.at:
                yield (*path, "digest", "at"), "is empty", "give times of day, e.g. ['08:00', '18:00']"
        if route.remind and not config.alerts.acknowledge:
            fix = "add 'alerts: {acknowledge: {url: ..., secret: ...}}'"
            yield (*path, "remind"), "nobody could acknowledge: alerts.acknowledge is missing", fix


def _silences(config: Config) -> Iterator[Mistake]:
    for number, silence in enumerate(config.silences):
        path: KeyPath = ("silences", number)
        yield from match_mistakes(silence.match, (*path, "match"))
        if silence.match == Match():
            yield (*path, "match"), "would silence everything", "say which events, e.g. {kinds: [visit]}"
        if silence.receivers:
            yield from _known(silence.receivers, config, (*path, "receivers"))
        try:
            aware = datetime.fromisoformat(silence.until).tzinfo is not None
        except ValueError:
            aware = False
        if not aware:
            fix = "write date, time and zone, e.g. 2026-03-01T08:00:00Z"
            yield (*path, "until"), f"'{silence.until}' is not a moment", fix

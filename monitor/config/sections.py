"""The sections of the configuration, with their defaults. docs/configuration.md has every key.

A new key needs a row in the tables of tests/monitor/config/settings: a test that changes it and sees the effect.

A duration is written as `90s`, `5m`, `2h`, `7d` or as a number of seconds. A secret is `{file: PATH}`, `{env: NAME}`
or, for trials, the text itself. A relative path is relative to the folder of the configuration file.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from monitor.config.secret import Secret
from monitor.records import EventStatus, Kind, Medium

Count: TypeAlias = Annotated[int, Meta(ge=1)]
Port: TypeAlias = Annotated[int, Meta(ge=0, le=65535)]
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Clock: TypeAlias = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["07:30"])]
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base class of every section: immutable, and an unknown key is a mistake."""


class Security(Section, frozen=True, kw_only=True):
    """How to log in to the broker. Keys and values are named as in Kafka; certificates and keys are PEM files.

    With OAUTHBEARER the token is read from `token_file` or requested at `token_url`; in the second case `username` and
    `password` are the client's id and secret.
    """

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = "SCRAM-SHA-512"
    username: str = ""
    password: Secret | None = None
    token_file: Path | None = None
    token_url: str | None = None
    token_scope: str = ""
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    key_password: Secret | None = None


class Broker(Section, frozen=True, kw_only=True):
    """Which broker: `embedded`, or `host:port` addresses separated by commas."""

    url: str = "embedded"
    security: Security = Security()
    connect_timeout: timedelta = timedelta(seconds=60)


class TopicSettings(Section, frozen=True, kw_only=True):
    """The topics that `summitry topics create` makes."""

    prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,100}$", examples=["summitry"])] = "summitry"
    partitions: Count = 4
    replication: Count = 1
    retention: timedelta = timedelta(days=7)


class PollerSettings(Section, frozen=True, kw_only=True):
    """How feeds are fetched. `contact` goes into the user agent, so that an outlet can reach you."""

    concurrency: Count = 200
    host_gap: timedelta = timedelta(seconds=1)
    floor: timedelta = timedelta(minutes=5)
    ceiling: timedelta = timedelta(hours=4)
    timeout: timedelta = timedelta(seconds=30)
    max_bytes: Count = 8 * 1024 * 1024
    allow_private_networks: tuple[str, ...] = ()
    contact: str = ""
    full_text: bool = False
    respect_robots: bool = False
    websub_callback: str | None = None


class Detection(Section, frozen=True, kw_only=True):
    """What detection finds. `languages` limits it to some of the bundled languages; empty means all.

    `alert_threshold` is the confidence, from 0 to 1, that an event needs for an alert.
    """

    alert_threshold: Share = 0.5
    languages: tuple[str, ...] = ()


class Match(Section, frozen=True, kw_only=True):
    """Selects events. Every key that is given must match; a list matches when one of its values does.

    A pair is two leaders joined by `+`, such as `putin+xi`. `leaders` and `countries` match when one participant does.
    """

    leaders: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    media: tuple[Medium, ...] = ()
    statuses: tuple[EventStatus, ...] = ()
    forums: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    min_confidence: Share = 0.0
    min_publishers: Annotated[int, Meta(ge=0)] = 0
    min_reports: Annotated[int, Meta(ge=0)] = 0
    min_participants: Annotated[int, Meta(ge=0)] = 0
    official: bool | None = None


class Threshold(Section, frozen=True, kw_only=True):
    """How many publishers and reports an event needs before an alert is sent.

    With `official` one official source is enough.
    """

    publishers: Count = 1
    reports: Count = 1
    official: bool = True


class QuietHours(Section, frozen=True, kw_only=True):
    """Between `start` and `end` only events that `bypass` matches are sent; the others are sent when the hours end."""

    start: Clock
    end: Clock
    zone: str = "UTC"
    days: tuple[Weekday, ...] = WEEKDAYS
    bypass: Match | None = None


class Digest(Section, frozen=True, kw_only=True):
    """First messages are collected and sent together, as one message, at these times of day."""

    at: tuple[Clock, ...]
    zone: str = "UTC"


class Reminder(Section, frozen=True, kw_only=True):
    """Repeat a message, at most `times` times, until somebody follows its acknowledgement link."""

    every: timedelta = timedelta(minutes=30)
    times: Count = 3


#: The statuses that a route alerts by default: all but proposals, background, unconfirmed and retracted events.
ALERTED: tuple[EventStatus, ...] = ("planned", "ongoing", "held", "postponed", "rescheduled", "cancelled", "denied")


class Route(Section, frozen=True, kw_only=True):
    """Sends the events that it matches to its receivers. Each receiver uses the first matching route that names it.

    `min_confidence` and `max_age` default to `detection.alert_threshold` and `alerts.max_age`.
    """

    name: str
    receivers: tuple[str, ...]
    match: Match = Match()
    exclude: Match | None = None
    statuses: tuple[EventStatus, ...] = ALERTED
    threshold: Threshold = Threshold()
    min_confidence: Share | None = None
    max_age: timedelta | None = None
    quiet_hours: QuietHours | None = None
    digest: Digest | None = None
    remind: Reminder | None = None


class SilenceRule(Section, frozen=True, kw_only=True):
    """Sends no alerts about these events before `until` (RFC 3339). `summitry silence` adds silences at run time."""

    match: Match
    until: str
    reason: str
    receivers: tuple[str, ...] = ()


class Storm(Section, frozen=True, kw_only=True):
    """After `limit` first messages within `per` to one receiver, further ones are collected into one message."""

    limit: Count = 20
    per: timedelta = timedelta(minutes=5)


class HeartbeatSettings(Section, frozen=True, kw_only=True):
    """Sends a message to `receivers` when no article arrived for the time `after`, and again when articles arrive."""

    receivers: tuple[str, ...]
    after: timedelta = timedelta(minutes=30)


class Acknowledge(Section, frozen=True, kw_only=True):
    """Adds a signed acknowledgement link to messages. `url` is the public address of the worker's web server."""

    url: str
    secret: Secret
    valid: timedelta = timedelta(days=7)


class Alerts(Section, frozen=True, kw_only=True):
    """Settings for all routes and receivers.

    `retries` are the waits between attempts, with jitter, as in the Standard Webhooks specification; after the last one
    the message goes to the dead letters. Changes within `update_wait` of each other are sent as one update. `templates`
    is a folder of message texts that replace the bundled ones. The log of messages about an event is kept for
    `remember` after the event was closed.
    """

    max_age: timedelta = timedelta(hours=24)
    update_wait: timedelta = timedelta(seconds=5)
    storm: Storm | None = Storm()
    heartbeat: HeartbeatSettings | None = None
    acknowledge: Acknowledge | None = None
    templates: Path | None = None
    remember: timedelta = timedelta(days=14)
    retries: tuple[timedelta, ...] = tuple(
        timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    )


class _ReceiverSection(Section, frozen=True, kw_only=True, tag_field="type"):
    """Base class of the receivers; `type` says which one. Messages are in `language`, with times in `zone`."""

    language: Annotated[str, Meta(pattern=r"^[a-z]{2}$", examples=["en"])] = "en"
    zone: str = "UTC"


class _RemoteReceiverSection(_ReceiverSection, frozen=True, kw_only=True, tag_field="type"):
    """Base class of the receivers that are reached over the network. One attempt may take `timeout`."""

    timeout: timedelta = timedelta(seconds=15)


class ConsoleReceiver(_ReceiverSection, frozen=True, kw_only=True, tag="console"):
    """Prints to standard output, in colour on a terminal."""

    colour: Literal["auto", "always", "never"] = "auto"


class WebhookReceiver(_RemoteReceiverSection, frozen=True, kw_only=True, tag="webhook"):
    """Posts a CloudEvents body, signed as the Standard Webhooks specification says.

    With several secrets there is a signature for each, so that you can replace a secret without a gap.
    """

    url: Secret
    secrets: tuple[Secret, ...]
    headers: dict[str, Secret] = {}
    allow_private_networks: tuple[str, ...] = ()
    concurrency: Count = 4


class SlackBotReceiver(_RemoteReceiverSection, frozen=True, kw_only=True, tag="slack"):
    """Posts, edits and replies with a bot token (scopes `chat:write` and `channels:history`, or `groups:history`)."""

    token: Secret
    channel: str
    api_url: str = "https://slack.com/api/"


class SlackWebhookReceiver(_RemoteReceiverSection, frozen=True, kw_only=True, tag="slack_webhook"):
    """Posts to an incoming webhook of Slack. Updates are new posts: Slack returns no id, so no post can be edited."""

    url: Secret
    allow_private_networks: tuple[str, ...] = ()


class EmailReceiver(_RemoteReceiverSection, frozen=True, kw_only=True, tag="email"):
    """Sends mail; updates are replies in the thread of the first message."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: Port = 587
    tls: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: Secret | None = None


class AppriseReceiver(_RemoteReceiverSection, frozen=True, kw_only=True, tag="apprise"):
    """Sends through the apprise library, to Teams, Discord, Telegram, ntfy and others; `url` is an apprise URL."""

    url: Secret


class KafkaReceiver(_RemoteReceiverSection, frozen=True, kw_only=True, tag="kafka"):
    """Writes the webhook's body to a Kafka topic. `broker` defaults to the service's own broker."""

    topic: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,249}$", examples=["alerts"])]
    broker: Broker | None = None


ReceiverConfig: TypeAlias = (
    ConsoleReceiver
    | WebhookReceiver
    | SlackBotReceiver
    | SlackWebhookReceiver
    | EmailReceiver
    | AppriseReceiver
    | KafkaReceiver
)


class Web(Section, frozen=True, kw_only=True):
    """Where each process serves `/metrics`, `/ready`, `/live` and `/ack`. Port 0 means any free port."""

    host: str = "127.0.0.1"
    poller_port: Port = 9651
    worker_port: Port = 9652


class BoardSettings(Section, frozen=True, kw_only=True):
    """The board: web pages, API and subscriptions.

    `url` is its public address, to which alerts link. `archive` is the file of the read model; without it the model is
    built from the topics at each start. `user_header` is the header in which a proxy among `trusted_proxies` gives the
    user's name. `passwords` and `tokens` are files. `rate` limits the requests a second of each client to the API; 0
    means no limit.
    """

    host: str = "127.0.0.1"
    port: Port = 9650
    url: Annotated[str, Meta(pattern=r"^(https?://[^\s/]+(/[^\s?#]*)?)?$", examples=["https://board.example.org"])] = ""
    archive: Path | None = None
    user_header: Annotated[str, Meta(pattern=r"^[A-Za-z0-9-]*$", examples=["X-Forwarded-User"])] = ""
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    passwords: Path | None = None
    tokens: Path | None = None
    rate: Annotated[int, Meta(ge=0)] = 50


class Log(Section, frozen=True, kw_only=True):
    """The form of logs: `console` for people, `json` for machines, `auto` for `console` on a terminal, else `json`."""

    format: Literal["auto", "console", "json"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Tracing(Section, frozen=True, kw_only=True):
    """Sends traces by OTLP over HTTP to the collector at `endpoint`; off without `endpoint`.

    `share`, from 0 to 1, is the part of polls with new entries for which a trace is recorded.
    """

    endpoint: Annotated[str, Meta(pattern=r"^(https?://[^\s]+)?$", examples=["http://collector:4318/v1/traces"])] = ""
    share: Share = 1.0


class Config(Section, frozen=True, kw_only=True):
    """The whole configuration. The default receiver is the console; without `routes` all receivers get all events."""

    broker: Broker = Broker()
    topics: TopicSettings = TopicSettings()
    watchlist: Path | None = None
    feeds: tuple[str, ...] = ("bundled",)
    poller: PollerSettings = PollerSettings()
    detection: Detection = Detection()
    receivers: dict[str, ReceiverConfig] = msgspec.field(default_factory=lambda: {"console": ConsoleReceiver()})
    routes: tuple[Route, ...] = ()
    silences: tuple[SilenceRule, ...] = ()
    alerts: Alerts = Alerts()
    web: Web = Web()
    board: BoardSettings = BoardSettings()
    log: Log = Log()
    tracing: Tracing = Tracing()

    def all_routes(self) -> tuple[Route, ...]:
        """Return the routes, or the one that sends everything to every receiver when none is configured."""
        return self.routes or (Route(name="everything", receivers=tuple(self.receivers)),)

"""Cases for the keys of `routes`, `silences` and `match`: which sample events are sent, to whom, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from agents.cli.alerts.silence import lines_of
from monitor.config import Config
from monitor.notify import Policy
from monitor.notify.policy.decision import decide
from monitor.notify.policy.matching import matches
from tests.monitor.config.settings.case import OMITTED, Case, case
from tests.monitor.config.settings.engine import tells
from tests.monitor.notify.samples import NOW, PUTIN, XI, event

#: NOW is a Wednesday, 12:00 in UTC and 13:00 in Berlin.
_BERLIN = "Europe/Berlin"


def first(of: str = "tell", at: datetime = NOW, receiver: str = "console", **about: Any) -> Callable[[Config], Any]:
    """Make an outcome: one field of the decision about an event that nobody was told of."""

    def outcome(config: Config) -> Any:
        decision = decide(Policy.of(config), receiver, event(**about), None, at)
        return f"{decision.due:%a %H:%M}" if of == "due" and decision.due else getattr(decision, of)

    return outcome


def matched(**about: Any) -> Callable[[Config], bool]:
    """Make an outcome: whether the first route's matcher takes an event."""
    return lambda config: matches(config.routes[0].match, event(**about))


def reminders(config: Config) -> list[float]:
    """Give the minutes after the first message at which somebody is reminded of it, within a day."""
    return [minutes for tell, minutes in tells(config, event(), hours=24) if tell == "reminder"]


def silences(config: Config) -> str:
    """Give the last words that `summitry silence list` says of the configured silence."""
    (line,) = lines_of(config, [], NOW, "table", everything=False)
    return line.partition("— ")[2]


def section(key: str, **inner: Any) -> Mapping[str, Any]:
    """Give the keys of a section that is given whole."""
    return {f"{key}.{name}": value for name, value in inner.items()}


_QUIET = section("routes[].quiet_hours", start="11:00", end="14:00")
_ACK = section("alerts.acknowledge", url="https://a.example", secret="0123456789abcdef")
_SILENCE = section("silences[]", match={"kinds": ["call"]}, until="2026-02-05T00:00:00Z", reason="known")
_MAIL = section("receivers.email", host="a", sender="a@a.example", to=["b@b.example"])

ROUTES: tuple[Case, ...] = (
    case("routes[].name", first("route"), ("desk", "desk"), ("night", "night")),
    case("routes[].receivers", first("reason"), (["console"], "first"), (["email"], "no_route"), given=_MAIL),
    case("routes[].match", first("reason"), ({"kinds": ["call"]}, "first"), ({"kinds": ["visit"]}, "no_route")),
    case("routes[].exclude", first("reason"), (OMITTED, "first"), ({"kinds": ["call"]}, "no_route"),
         ({"kinds": ["visit"]}, "first")),
    case("routes[].statuses", first("reason", status="proposed"), (OMITTED, "status"), (["proposed"], "first")),
    case("routes[].min_confidence", first("reason", confidence=0.6), (OMITTED, "first"), (0.7, "confidence")),
    case("routes[].max_age", first("reason", last_seen=NOW - timedelta(hours=30)), (OMITTED, "too_old"),
         ("2d", "first")),
    case("routes[].threshold.publishers", first("reason", publishers=2), (2, "first"), (3, "publishers")),
    case("routes[].threshold.reports", first("reason", reports=2), (2, "first"), (3, "reports")),
    case("routes[].threshold.official", first("reason", publishers=1, official=True), (True, "first"),
         (False, "publishers"), given={"routes[].threshold.publishers": 2}),
    case("routes[].quiet_hours", first("due"), (OMITTED, None), ({"start": "11:00", "end": "14:00"}, "Wed 14:00")),
    case("routes[].quiet_hours.start", first("due"), ("11:30", "Wed 14:00"), ("12:30", None), given=_QUIET),
    case("routes[].quiet_hours.end", first("due"), ("14:00", "Wed 14:00"), ("13:00", "Wed 13:00"), given=_QUIET),
    case("routes[].quiet_hours.zone", first("due"), ("UTC", "Wed 14:00"), (_BERLIN, "Wed 13:00"), given=_QUIET),
    case("routes[].quiet_hours.days", first("due"), (["wed"], "Wed 14:00"), (["thu"], None), given=_QUIET),
    case("routes[].quiet_hours.bypass", first("due"), ({"kinds": ["visit"]}, "Wed 14:00"), ({"kinds": ["call"]}, None),
         given=_QUIET),
    case("routes[].digest", first("due"), (OMITTED, None), ({"at": ["18:00"]}, "Wed 18:00")),
    case("routes[].digest.at", first("due"), (["18:00"], "Wed 18:00"), (["08:00"], "Thu 08:00")),
    case("routes[].digest.zone", first("due"), ("UTC", "Wed 18:00"), (_BERLIN, "Wed 17:00"),
         given={"routes[].digest.at": ["18:00"]}),
    case("routes[].remind", reminders, (OMITTED, []), ({}, [30, 60, 90]), given=_ACK),
    case("routes[].remind.every", reminders, ("10m", [10, 20, 30]), ("1h", [60, 120, 180]), given=_ACK),
    case("routes[].remind.times", reminders, (1, [30]), (2, [30, 60]), given=_ACK),
)  # fmt: skip

SILENCES: tuple[Case, ...] = (
    case("silences[].match", first("reason"), ({"kinds": ["call"]}, "silenced"), ({"kinds": ["visit"]}, "first"),
         given=_SILENCE),
    case("silences[].until", first("reason"), ("2026-02-05T00:00:00Z", "silenced"), ("2026-02-04T11:00:00Z", "first"),
         given=_SILENCE),
    case("silences[].receivers", first("reason"), (["console"], "silenced"), (["email"], "first"),
         given={**_SILENCE, **_MAIL}),
    case("silences[].reason", silences, ("known", "known (configuration)"), ("drill", "drill (configuration)"),
         given=_SILENCE),
)  # fmt: skip

#: Each key of a matcher, once: that the four places which take a matcher obey it is seen above.
MATCH: tuple[Case, ...] = (
    case("match.leaders", matched(), (["xi-jinping"], True), (["emmanuel-macron"], False)),
    case("match.pairs", matched(), (["vladimir-putin+xi-jinping"], True), (["xi-jinping+emmanuel-macron"], False)),
    case("match.countries", matched(), (["RU"], True), (["FR"], False)),
    case("match.kinds", matched(), (["call"], True), (["visit"], False)),
    case("match.media", matched(), (["video"], True), (["phone"], False)),
    case("match.statuses", matched(), (["held"], True), (["planned"], False)),
    case("match.forums", matched(forum="G20"), (["G20"], True), (["G7"], False)),
    case("match.topics", matched(topics=("trade",)), (["trade"], True), (["energy"], False)),
    case("match.min_confidence", matched(confidence=0.6), (0.6, True), (0.7, False)),
    case("match.min_publishers", matched(publishers=2), (2, True), (3, False)),
    case("match.min_reports", matched(reports=2), (2, True), (3, False)),
    case("match.min_participants", matched(participants=(PUTIN, XI)), (2, True), (3, False)),
    case("match.official", matched(official=True), (True, True), (False, False)),
)

ROWS: tuple[Case, ...] = (*ROUTES, *SILENCES, *MATCH)

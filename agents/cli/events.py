"""`summitry events`: what is on the events topic, as a table or as JSON lines."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import structlog

from agents.cli.connect import broker_options, connection
from monitor.assemble.brief.sentences import noun_of
from monitor.clock import service_clock
from monitor.errors import SummitryError
from monitor.kafka import BrokerSettings, follow, read_compacted
from monitor.records import Event, decode, event_line, utc

logger = structlog.get_logger()

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_BEGINNING = datetime.min.replace(tzinfo=UTC)


@click.command()
@click.option("--follow", "following", is_flag=True, help="Then go on with each new revision, until Ctrl-C.")
@click.option(
    "--with", "leaders", default="", help="Only events with all of these leaders: surnames or slugs, by comma."
)
@click.option(
    "--since", default="", help="Only events reported since then: 2026-02-04, a full time, or 90m, 12h, 7d, 2w."
)
@click.option("--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True)
@broker_options
def events(  # noqa: PLR0917  # click passes options by name
    following: bool, leaders: str, since: str, form: str, config_file: Path | None, broker: str | None
) -> None:
    r"""Print the events on the broker, the last revision of each, in the order of their first report.

    \b
    summitry events --with putin,xi --since 7d
    summitry events --format json > archive.jsonl
    summitry events --follow --format json | jq -c '[.status, .brief]'

    Events that turned out to be another one are left out; the other one has their ids under "redirects".
    """
    _, settings, names = connection(config_file, broker)
    wanted = _wanted(leaders, parse_since(since, service_clock()()) if since else None)
    show = _show_json if form == "json" else _show_row
    header = _HEADER if form == "table" else ""
    try:
        asyncio.run(_print(settings, names.events, wanted, show, header=header, following=following))
    except KeyboardInterrupt:
        sys.exit(130)


async def _print(
    settings: BrokerSettings,
    topic: str,
    wanted: Callable[[Event], bool],
    show: Callable[[Event], None],
    *,
    header: str,
    following: bool,
) -> None:
    shown: dict[str, int] = {}
    values = await read_compacted(settings, topic)
    if header:
        click.echo(header)
    for event in standing(values):
        if wanted(event):
            show(event)
        shown[event.event_id] = event.revision
    if not following:
        return
    # From the beginning again, so that nothing falls between the two readings; what was shown is not shown twice.
    async for record in follow(settings, topic, from_beginning=True):
        news = _read(record.value)
        if news is None or news.revision <= shown.get(news.event_id, 0):
            continue
        shown[news.event_id] = news.revision
        if news.merged_into is None and wanted(news):
            show(news)


def standing(values: Mapping[str, bytes]) -> list[Event]:
    """The events among the values of the compacted topic, without merged ones, in the order of their first report."""
    found = (event for value in values.values() if (event := _read(value)) is not None and event.merged_into is None)
    return sorted(found, key=lambda e: (e.first_seen or _BEGINNING, e.event_id))


def _read(value: bytes | None) -> Event | None:
    if value is None:
        return None
    try:
        return decode(Event, value)
    except SummitryError as error:
        logger.warning("event_unreadable", error=str(error))
        return None


def parse_since(text: str, now: datetime) -> datetime:
    """A point in time: a date, a time (RFC 3339), or an age as `90m`, `12h`, `7d`, `2w`.

    Raises click.BadParameter for anything else.
    """
    age = re.fullmatch(r"(\d{1,5})([mhdw])", text.strip())
    try:
        if age:
            return now - timedelta(**{_UNITS[age[2]]: int(age[1])})
        return utc(datetime.fromisoformat(text.strip()))
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no time; write 2026-02-04, 2026-02-04T08:00Z or an age as 12h", param_hint="--since"
        ) from None


def _wanted(leaders: str, since: datetime | None) -> Callable[[Event], bool]:
    words = [word.strip().lower().replace(" ", "-").replace("_", "-") for word in leaders.split(",") if word.strip()]

    def wanted(event: Event) -> bool:
        slugs = [p.leader for p in event.participants]
        with_all = all(any(f"-{word}-" in f"-{slug}-" for slug in slugs) for word in words)
        return with_all and (since is None or (event.last_seen is not None and event.last_seen >= since))

    return wanted


_HEADER = f"{'EVENT':<16} {'REPORTED':<16} {'STATUS':<11} {'REPORTS':>7}  CONTACT"


def _show_row(event: Event) -> None:
    reported = event.last_seen.strftime("%Y-%m-%d %H:%M") if event.last_seen else ""
    click.echo(
        f"{event.event_id:<16} {reported:<16} {event.status:<11} {event.reports:>7}  {' '.join(_contact(event))}"
    )


def _contact(event: Event) -> Iterable[str]:
    names = [p.name for p in event.participants]
    yield ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "") + ":"
    yield noun_of(event.kind, event.medium)
    if event.when is not None:
        start, end = event.when.start.isoformat(), event.when.end.isoformat()
        yield f"on {start}" if start == end else f"{start} to {end}"
    if event.place is not None:
        yield f"in {event.place.name or event.place.country}"
    if event.forum:
        yield f"({event.forum})"


def _show_json(event: Event) -> None:
    sys.stdout.buffer.write(event_line(event) + b"\n")
    sys.stdout.buffer.flush()

"""`summitry events`: print the events on the topic of events, as a table or as JSON lines."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import structlog

from agents.cli.connect import broker_options, connection, people_of
from agents.cli.options import country_option, format_option, parse_moment, split_names, with_option
from monitor.assemble.brief.deeds import noun_of
from monitor.clock import service_clock
from monitor.config import Config
from monitor.errors import SummitryError
from monitor.kafka import BrokerSettings, follow, read_compacted
from monitor.records import EVENT_STATUSES, KINDS, MEDIA, Event, decode, event_line

if TYPE_CHECKING:
    from monitor.watchlist.selection import Selection

logger = structlog.get_logger()

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@click.command()
@click.option("--follow", "following", is_flag=True, help="Then print each new revision, until Ctrl-C.")
@with_option
@country_option
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind. Repeatable.")
@click.option("--medium", "media", multiple=True, type=click.Choice(MEDIA), help="Only this medium. Repeatable.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(EVENT_STATUSES), help="Only this status. Repeatable."
)
@click.option("--words", default="", metavar="TEXT", help="Only events with all these words in brief, place or forum.")
@click.option(
    "--since", default="", metavar="TIME", help="Only events reported since: 2026-02-04, 2026-02-04T08:00Z, 12h, 7d."
)
@click.option("--from", "first", default="", metavar="DATE", help="Only contacts on this day or later (YYYY-MM-DD).")
@click.option("--to", "last", default="", metavar="DATE", help="Only contacts on this day or earlier.")
@format_option
@broker_options
def events(
    *,
    following: bool,
    since: str,
    form: str,
    config_file: Path | None,
    broker: str | None,
    **given: Any,  # noqa: ANN401  # click passes options by name; `EventFilter` says what they are
) -> None:
    r"""Print the last revision of each event on the broker, in the order of their first reports.

    \b
    summitry events --with putin,xi --since 7d
    summitry events --country Germany --status planned --from 2026-12-01
    summitry events --format json > archive.jsonl
    summitry events --follow --format json | jq -c '[.status, .brief]'

    An event that was merged into another one is left out; the other event has its id in "redirects".
    """
    config, settings, names = connection(config_file, broker)
    wanted = event_filter(config, parse_moment(since, service_clock()()) if since else None, **given).fits
    show = _show_json if form == "json" else _show_row
    header = _HEADER if form == "table" else ""
    # Ctrl-C ends at once: nothing needs to be closed in order, and closing a Kafka client can take seconds.
    signal.signal(signal.SIGINT, _end)
    asyncio.run(_print(settings, names.events, wanted, show, header=header, following=following))


def _end(*_: object) -> None:
    sys.stdout.flush()
    os._exit(130)


class EventFilter(NamedTuple):
    """Selects the events to print. Every condition must be met; one value of a list is enough."""

    selections: tuple[Selection, ...] = ()
    kinds: tuple[str, ...] = ()
    media: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    since: datetime | None = None
    first: date | None = None
    last: date | None = None

    def fits(self, event: Event) -> bool:
        """Tell whether an event meets every condition. An event without a date never meets `first` and `last`."""
        who = [(one.leader, one.country) for one in event.participants]
        place = event.place.name if event.place else ""
        text = f"{event.brief} {place} {event.forum or ''}".casefold()
        days = event.when
        return (
            all(selection.fits(who) for selection in self.selections)
            and (not self.kinds or event.kind in self.kinds)
            and (not self.media or event.medium in self.media)
            and (not self.statuses or event.status in self.statuses)
            and all(word in text for word in self.words)
            and (self.since is None or (event.last_seen is not None and event.last_seen >= self.since))
            and (self.first is None or (days is not None and days.end >= self.first))
            and (self.last is None or (days is not None and days.start <= self.last))
        )


def event_filter(  # noqa: PLR0917  # one parameter an option
    config: Config,
    since: datetime | None,
    leaders: Sequence[str] = (),
    countries: Sequence[str] = (),
    kinds: tuple[str, ...] = (),
    media: tuple[str, ...] = (),
    statuses: tuple[str, ...] = (),
    words: str = "",
    first: str = "",
    last: str = "",
) -> EventFilter:
    """Return the filter for the options of the command. Raises UnknownNameError, click.BadParameter."""
    names = split_names(leaders)
    selections: list[Selection] = []
    if names or countries:
        from monitor.watchlist.selection import Selection, name_index  # noqa: PLC0415  # the roster is large

        index = name_index(people_of(config))
        selections = [index.select(name) for name in names]
        selections += [Selection(frozenset(), frozenset({index.country(name)})) for name in countries]
    return EventFilter(
        tuple(selections),
        kinds,
        media,
        statuses,
        tuple(words.casefold().split()),
        since,
        _day(first, "--from"),
        _day(last, "--to"),
    )


def _day(text: str, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a date; write it like 2026-02-04", param_hint=option) from None


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
    for event in unmerged(values):
        if wanted(event):
            show(event)
        shown[event.event_id] = event.revision
    if not following:
        return
    # Read from the beginning again, so that nothing is missed in between; revisions that were shown are skipped.
    async for record in follow(settings, topic, from_beginning=True):
        news = _read(record.value)
        if news is None or news.revision <= shown.get(news.event_id, 0):
            continue
        shown[news.event_id] = news.revision
        if news.merged_into is None and wanted(news):
            show(news)


def unmerged(values: Mapping[str, bytes]) -> list[Event]:
    """Return the events of the compacted topic without merged ones, in the order of their first reports."""
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


_HEADER = f"{'EVENT':<16} {'REPORTED':<16} {'STATUS':<11} {'REPORTS':>7}  CONTACT"


def _show_row(event: Event) -> None:
    reported = event.last_seen.strftime("%Y-%m-%d %H:%M") if event.last_seen else ""
    click.echo(
        f"{event.event_id:<16} {reported:<16} {event.status:<11} {event.reports:>7}  {' '.join(_contact(event))}"
    )


def _contact(event: Event) -> Iterable[str]:
    names = [p.name for p in event.participants]
    yield ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "") + ":"
    yield noun_of(event)
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

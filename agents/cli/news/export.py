"""`summitry export`: write events in other formats, read from event lines, an archive file, or a running board."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import click
import httpx
import msgspec

from monitor.archive import Archive, EventFilters, LeaderNames, SelectionError, archive_queries
from monitor.archive.exports import FORMATS, ExportItem, ExportOrigin
from monitor.articles import Lines
from monitor.errors import SummitryError
from monitor.records import Event, decode
from monitor.watchlist import bundled


@click.command()
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), required=True, help="The format, see docs/exports.md."
)
@click.option(
    "--archive",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Read events from the archive file of a board.",
)
@click.option("--board", metavar="URL", help="Read events from a running board, e.g. http://127.0.0.1:9650.")
@click.option(
    "--token", metavar="TEXT", envvar="SUMMITRY_TOKEN", help="The board's API token; better in SUMMITRY_TOKEN."
)
@click.option("--where", metavar="QUERY", default="", help="Filters as in the board's URLs: 'country=FR&kind=visit'.")
@click.option("--url", metavar="URL", default="", help="The board's URL for links in the export.")
@click.option("--title", metavar="TEXT", default="Summitry", show_default=True, help="The title of a feed or calendar.")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path())
def export(
    form: str,
    archive: Path | None,
    board: str | None,
    *,
    token: str | None,
    where: str,
    url: str,
    title: str,
    files: tuple[str, ...],
) -> None:
    r"""Write events to standard output in another format.

    Events are read from each FILE or standard input (event lines; files may be compressed with gzip, bzip2, xz or
    zstd), from the archive file of a board, or from a running board. Of several revisions of an event only the last one
    is written; merged events are left out.

    \b
    summitry events --format json | summitry export --format ics > planned.ics
    summitry replay < archive.jsonl | summitry export --format cameo > events.tsv
    summitry export --board http://127.0.0.1:9650 --where 'pair=vladimir-putin+xi-jinping' --format csv
    """
    if archive and board:
        raise click.UsageError("give only one of --archive and --board")
    if where and not (archive or board):
        raise click.UsageError("--where needs --archive or --board")
    events: Iterable[Event]
    if archive:
        events = _from_archive(archive, _selection(where))
    elif board:
        url = url or board.rstrip("/")
        events = _from_board(board.rstrip("/"), token, _selection(where))
    else:
        events = _from_lines(files)
    out = sys.stdout.buffer
    for piece in FORMATS[form].write((ExportItem(event) for event in events), ExportOrigin(board=url, title=title)):
        out.write(piece)
    out.flush()


def _selection(where: str) -> EventFilters:
    pairs = [part.partition("=") for part in where.split("&") if part]
    try:
        # A plus sign is not decoded to a space, since nobody percent-encodes on a command line.
        return EventFilters.parse([(key, value) for key, _, value in pairs])
    except SelectionError as error:
        raise click.BadParameter(str(error), param_hint="--where") from None


def _from_lines(files: tuple[str, ...]) -> Iterable[Event]:
    last: dict[str, Event] = {}
    for name, number, line in Lines(files or ("-",)):
        try:
            event = decode(Event, line)
        except SummitryError as error:
            raise SummitryError(f"{name}: line {number}: {error}") from error
        known = last.pop(event.event_id, None)
        last[event.event_id] = known if known and known.revision > event.revision else event
    return [event for event in last.values() if event.merged_into is None]


def _from_archive(path: Path, selection: EventFilters) -> Iterator[Event]:
    archive, names = Archive.existing(path), LeaderNames(bundled())
    after = ""
    while True:
        page = archive_queries.events(archive, names, selection, after=after, limit=archive_queries.MAX_PAGE)
        yield from (found.event for found in page.entries)
        if not (after := page.after):
            break
    archive.close()


def _from_board(board: str, token: str | None, selection: EventFilters) -> Iterator[Event]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    query = [*selection.items(), ("limit", str(archive_queries.MAX_PAGE))]
    with httpx.Client(headers=headers, timeout=30.0, trust_env=False) as client:
        after: str | None = None
        while True:
            asked = urlencode([*query, *([("after", after)] if after else [])])
            try:
                answer = client.get(f"{board}/api/v1/events?{asked}")
                answer.raise_for_status()
                page = answer.json()
            except httpx.ConnectError as error:
                problem = f"{board}: can't be reached; check the URL, and that `summitry board` runs ({error})"
                raise SummitryError(problem, reason="board") from error
            except (httpx.HTTPError, ValueError) as error:
                raise SummitryError(f"{board}: {error}", reason="board") from error
            for item in page["items"]:
                yield msgspec.convert(item, Event)
            after = page.get("next")
            if not after:
                return

"""`summitry export`: events in other programs' formats, from event lines, an archive file, or a running board."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import click
import httpx
import msgspec

from monitor.archive import Archive, LeaderNames, NamedParticipants, SelectionError, archive_queries
from monitor.archive.exports import FORMATS, ExportItem, ExportOrigin
from monitor.articles import Lines
from monitor.errors import SummitryError
from monitor.records import Event, decode
from monitor.watchlist import bundled


@click.command()
@click.option("--format", "form", type=click.Choice(list(FORMATS)), required=True, help="See docs/exports.md.")
@click.option("--archive", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="A board's archive file.")
@click.option("--board", metavar="URL", help="A running board, e.g. http://127.0.0.1:9650.")
@click.option("--token", envvar="SUMMITRY_TOKEN", help="For a board that asks for one; better in SUMMITRY_TOKEN.")
@click.option("--where", metavar="QUERY", default="", help="Filters as in a board's address: 'country=FR&kind=visit'.")
@click.option("--url", default="", help="Where the board is, for links in what is exported.")
@click.option("--title", default="Summitry", show_default=True, help="What the feed or calendar is called.")
@click.argument("files", nargs=-1, type=click.Path())
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
    r"""Write events in another format on standard output.

    Events come from FILES (event lines, also .gz and .zst) or standard input, from a board's archive file, or from a
    running board. Of several revisions of an event the last one counts; merged ones are left out.

    \b
    summitry events --format json | summitry export --format ics > planned.ics
    summitry replay < archive.jsonl | summitry export --format cameo > events.tsv
    summitry export --board http://127.0.0.1:9650 --where 'pair=vladimir-putin+xi-jinping' --format csv
    """
    if archive and board:
        raise click.UsageError("--archive and --board: name one of them")
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


def _selection(where: str) -> NamedParticipants:
    pairs = [part.partition("=") for part in where.split("&") if part]
    try:
        # A plus sign is left as it is: nobody encodes on a command line.
        return NamedParticipants.parse([(key, value) for key, _, value in pairs])
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


def _from_archive(path: Path, selection: NamedParticipants) -> Iterator[Event]:
    archive, names = Archive.existing(path), LeaderNames(bundled())
    after = ""
    while True:
        page = archive_queries.events(archive, names, selection, after=after, limit=archive_queries.MAX_PAGE)
        yield from (found.event for found in page.entries)
        if not (after := page.after):
            break
    archive.close()


def _from_board(board: str, token: str | None, selection: NamedParticipants) -> Iterator[Event]:
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
            except (httpx.HTTPError, ValueError) as error:
                raise SummitryError(f"{board}: {error}", reason="board") from error
            for item in page["items"]:
                yield msgspec.convert(item, Event)
            after = page.get("next")
            if not after:
                return

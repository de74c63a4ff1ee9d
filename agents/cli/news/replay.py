"""`summitry replay`: a whole archive through detection and assembly, without a broker."""

from __future__ import annotations

import heapq
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import click
from tqdm import tqdm

from agents.cli.options import watchlist_option
from monitor.articles import Lines, read_article
from monitor.assemble.replay import final_events
from monitor.assemble.replay import replay as replay_articles
from monitor.detect import Detector
from monitor.errors import SummitryError
from monitor.loop import collect_rarely
from monitor.records import Article, event_line, utc
from monitor.watchlist import load_or_bundled

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@click.command()
@watchlist_option
@click.option("--revisions", is_flag=True, help="Every revision of every event as it comes, not only the last one.")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path())
def replay(watchlist: str | None, revisions: bool, files: tuple[str, ...]) -> None:
    r"""Run articles through detection and assembly, in event time, and print the events.

    Reads article lines (JSON with at least "id" and "title") in the order of publication from each FILE (also .gz,
    .bz2, .xz and .zst) or standard input, and prints event lines. Several files are read side by side, as one archive
    in order. The events are those that the service would tell.

    \b
    summitry replay archive-2025.jsonl.zst > events.jsonl
    summitry replay --revisions day.jsonl | jq -c '[.event_id, .revision, .status, .brief]'

    A line that is no article is reported on standard error with its number; the rest is processed, and the exit code
    is 1 at the end.
    """
    collect_rarely()
    detector = Detector(load_or_bundled(watchlist))
    source = ArchiveFiles(files)
    events = replay_articles(source, detector.detect)
    out = sys.stdout.buffer
    for event in events if revisions else final_events(events):
        out.write(event_line(event) + b"\n")
        if revisions:
            out.flush()
    out.flush()
    if source.bad:
        click.echo(f"replay: {source.bad} of {source.lines} lines are no articles", err=True)
        sys.exit(1)


class ArchiveFiles:
    """The articles of some files, merged by their times, with a progress bar on a terminal; counts bad lines."""

    def __init__(self, files: tuple[str, ...]) -> None:
        self._files = [Lines((file,)) for file in files or ("-",)]
        self.bad = self.lines = 0

    def __iter__(self) -> Iterator[Article]:
        sizes = [file.bytes_total for file in self._files]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        with tqdm(total=total, unit="B", unit_scale=True, disable=None, desc="replay", leave=False) as bar:
            for _, article in heapq.merge(*map(self._read, self._files), key=lambda timed: timed[0]):
                if total is not None and self.lines % 500 == 0:
                    bar.update(sum(file.bytes_read for file in self._files) - bar.n)
                yield article

    def _read(self, file: Lines) -> Iterator[tuple[datetime, Article]]:
        """Each article of a file with its time; one without a time is of the time of the one before it."""
        time = _BEGINNING
        for name, number, line in file:
            self.lines += 1
            try:
                article = read_article(line)
            except SummitryError as error:
                self.bad += 1
                tqdm.write(f"{name}: line {number}: {error}", file=sys.stderr)
                continue
            time = article.published or article.seen or time
            yield utc(time), article

"""`summitry replay`: run an archive of articles through detection and assembly, without a broker."""

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
from monitor.loop import collect_rarely, no_collector
from monitor.records import Article, event_line, utc
from monitor.watchlist import load_or_bundled

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@click.command()
@watchlist_option
@click.option("--revisions", is_flag=True, help="Print every revision of each event at once, not only the last one.")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path())
def replay(watchlist: str | None, revisions: bool, files: tuple[str, ...]) -> None:
    r"""Run an archive of articles through detection and assembly, and print the resulting events.

    Reads article lines (JSON with at least "id" and "title"), in the order of publication, from each FILE or standard
    input; files may be compressed with gzip, bzip2, xz or zstd. Several files are merged by time. Prints event lines,
    the same events that the service would make.

    \b
    summitry replay archive-2025.jsonl.zst > events.jsonl
    summitry replay --revisions day.jsonl | jq -c '[.event_id, .revision, .status, .brief]'

    A line that is not an article is reported on standard error with its number; the others are processed, and the exit
    code is 1.
    """
    with no_collector():
        detector = Detector(load_or_bundled(watchlist))
    collect_rarely()
    source = ArchiveFiles(files)
    events = replay_articles(source, detector.detect)
    out = sys.stdout.buffer
    for event in events if revisions else final_events(events):
        out.write(event_line(event) + b"\n")
        if revisions:
            out.flush()
    out.flush()
    if source.bad:
        click.echo(f"replay: {source.bad} of {source.lines} lines are not articles", err=True)
        sys.exit(1)


class ArchiveFiles:
    """The articles of some files, merged by time, with a progress bar on a terminal. Counts lines and bad lines."""

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
        """Yield each article of a file with its time; an article without a time has that of the previous one."""
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

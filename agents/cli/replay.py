"""`summitry replay`: a whole archive through detection and assembly, without a broker."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click
from tqdm import tqdm

from monitor.articles import Lines, read_article
from monitor.assemble.replay import final_events
from monitor.assemble.replay import replay as replay_articles
from monitor.detect import Detector
from monitor.errors import SummitryError
from monitor.records import Article, event_line
from monitor.watchlist import bundled, load


@click.command()
@click.option(
    "--watchlist", "watchlist", type=click.Path(), help="The leaders to track; the bundled roster if left out."
)
@click.option("--revisions", is_flag=True, help="Every revision of every event as it comes, not only the last one.")
@click.argument("files", nargs=-1, type=click.Path())
def replay(watchlist: str | None, revisions: bool, files: tuple[str, ...]) -> None:
    r"""Run articles through detection and assembly, in event time, and print the events.

    Reads article lines (JSON with at least "id" and "title") in the order of publication from FILES (also .gz and .zst)
    or standard input, and prints event lines. The events are those that the service would tell.

    \b
    summitry replay archive-2025.jsonl.zst > events.jsonl
    summitry replay --revisions day.jsonl | jq -c '[.event_id, .revision, .status, .brief]'

    A line that is no article is reported on standard error with its number; the rest is processed, and the exit code
    is 1 at the end.
    """
    detector = Detector(load(watchlist) if watchlist else bundled())
    source = _Source(files)
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


class _Source:
    """The articles of some files, with a progress bar when standard error is a terminal; counts bad lines."""

    def __init__(self, files: tuple[str, ...]) -> None:
        self._lines = Lines(files)
        self.bad = self.lines = 0

    def __iter__(self) -> Iterator[Article]:
        total = self._lines.bytes_total
        with tqdm(total=total, unit="B", unit_scale=True, disable=None, desc="replay", leave=False) as bar:
            for name, number, line in self._lines:
                self.lines += 1
                if self.lines % 500 == 0:
                    bar.update(self._lines.bytes_read - bar.n if total is not None else 0)
                try:
                    article = read_article(line)
                except SummitryError as error:
                    self.bad += 1
                    tqdm.write(f"{name}: line {number}: {error}", file=sys.stderr)
                    continue
                yield article

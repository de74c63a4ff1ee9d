"""`summitry backtest`: show which alerts a configuration would have sent for an archive of articles."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import msgspec
import structlog

from agents.cli.news.replay import ArchiveFiles
from agents.cli.options import config_option, format_option
from monitor.assemble.replay import EventClock, replay
from monitor.config import Config, load_config
from monitor.detect import Detector, chosen_languages
from monitor.notify.backtest import Backtest, BacktestOutcome, counts
from monitor.records import Article
from monitor.watchlist import load_or_bundled

#: The simulation goes on for this long after the archive's end, so that the last digest is sent.
_AFTERWARDS = timedelta(days=2)


@click.command()
@config_option
@format_option
@click.option(
    "--messages", is_flag=True, help="Print each message, and each event that was held back, not only their numbers."
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
def backtest(config_file: Path | None, form: str, files: tuple[str, ...], *, messages: bool) -> None:
    r"""Show which alerts a configuration would have sent for an archive of articles. Nothing is sent.

    Reads article lines from each FILE (also compressed with gzip, bzip2, xz or zstd), which must be in the order of
    publication, and runs them through detection, assembly and the routes, in the archive's own time. So you know how
    often a new route will alert before you use it.

    \b
    summitry backtest --config summitry.yaml archive-2026-03.jsonl.zst
    summitry backtest --config summitry.yaml --messages march.jsonl
    summitry backtest --config summitry.yaml --format json march.jsonl | jq 'select(.tell == "first") | .title'
    """
    # Without logs: the decisions are printed as the result.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    config = load_config(config_file, os.environ)
    source = ArchiveFiles(files)
    found: list[BacktestOutcome] = []
    for outcome in outcomes(config, source):
        found.append(outcome)
        if messages or form == "json":
            click.echo(msgspec.json.encode(outcome).decode() if form == "json" else _row(outcome))
    if form == "table":
        click.echo(table(config, found), nl=False)
    if source.bad:
        click.echo(f"backtest: {source.bad} of {source.lines} lines are not articles", err=True)
        sys.exit(1)


def outcomes(config: Config, articles: Iterator[Article] | ArchiveFiles) -> Iterator[BacktestOutcome]:
    """Yield the messages that each receiver would have got, and the events that were held back, in order of time."""
    detector = Detector(load_or_bundled(config.watchlist), chosen_languages(config.detection.languages))
    rehearsal, clock = Backtest(config), EventClock()
    now = datetime.min.replace(tzinfo=UTC)

    def watched() -> Iterator[Article]:
        nonlocal now
        for article in articles:
            now = clock.observe(article) or now
            yield article

    for event in replay(watched(), detector.detect):
        yield from rehearsal.take(event, now)
    yield from rehearsal.advance(now + _AFTERWARDS if now.year > 1 else now)


def table(config: Config, found: list[BacktestOutcome]) -> str:
    """Return a table with the alerts of each receiver, in total, a day and by route, and the events held back.

    `rings` are the messages that notify people.
    """
    days = max(1.0, (found[-1].at - found[0].at).total_seconds() / 86400) if found else 1.0
    lines = [f"{'receiver':<20} {'rings':>6} {'a day':>7} {'first':>6} {'updates':>8} {'quiet':>6}  by route"]
    for name in config.receivers:
        mine = [outcome for outcome in found if outcome.receiver == name]
        told = counts(mine)["told"]
        rings = sum(outcome.rings for outcome in mine)
        routes = Counter(outcome.route for outcome in mine if outcome.rings)
        updates = told.get("loud", 0) + told.get("retract", 0)
        by_route = ", ".join(f"{route} {count}" for route, count in routes.most_common())
        lines.append(
            f"{name:<20} {rings:>6} {rings / days:>7.1f} {told.get('first', 0):>6} {updates:>8} "
            f"{told.get('quiet', 0):>6}  {by_route}".rstrip()
        )
    lines.append("")
    for name in config.receivers:
        held = counts([outcome for outcome in found if outcome.receiver == name])["held_back"]
        why = ", ".join(f"{reason} {count}" for reason, count in Counter(held).most_common())
        lines.append(f"{name:<20} held back: {why or 'nothing'}")
    return "\n".join(lines) + "\n"


def _row(outcome: BacktestOutcome) -> str:
    how = outcome.tell or f"held back ({outcome.reason})"
    route = f" [{outcome.route}]" if outcome.route else ""
    return f"{outcome.at:%Y-%m-%d %H:%M:%S} {outcome.receiver:<16} {how:<24} {outcome.title}{route}"

"""`summitry detect`: read articles, print mentions."""

from __future__ import annotations

import sys

import click

from agents.cli.options import watchlist_option
from monitor.articles import Lines, read_article
from monitor.detect import Detector, explanation_text
from monitor.errors import SummitryError
from monitor.loop import collect_rarely, no_collector
from monitor.records import mention_line
from monitor.watchlist import load_or_bundled


@click.command()
@watchlist_option
@click.option("--explain", is_flag=True, help="Print an explanation for each article instead of mention lines.")
@click.argument("files", metavar="[FILE]...", nargs=-1, type=click.Path())
def detect(watchlist: str | None, files: tuple[str, ...], *, explain: bool) -> None:
    r"""Find the contacts between leaders that articles report.

    Reads article lines (JSON with at least "id" and "title") from each FILE or standard input; files may be compressed
    with gzip, bzip2, xz or zstd. Prints one mention line for each contact, in the order of the articles. The language
    is detected when "language" is missing.

    \b
    summitry detect < articles.jsonl > mentions.jsonl
    echo '{"id": "1", "title": "Putin and Xi held a video call Wednesday"}' | summitry detect --explain

    With --explain, a block is printed for each article: the leaders found, the contact and the words that show it, the
    mentions, and for each other possible contact why it was rejected. A line that is not an article is reported on
    standard error with its number; the others are processed, and the exit code is 1. A last line there says how many of
    the lines are not articles.
    """
    with no_collector():
        detector = Detector(load_or_bundled(watchlist))
    collect_rarely()
    out = sys.stdout.buffer
    lines = bad = 0
    for name, number, line in Lines(files):
        lines += 1
        try:
            article = read_article(line)
        except SummitryError as error:
            bad += 1
            click.echo(f"{name}: line {number}: {error}" if files else f"line {number}: {error}", err=True)
            continue
        if explain:
            out.write(explanation_text(detector.explain(article)).encode("utf-8", "replace") + b"\n")
        else:
            for mention in detector.detect(article):
                out.write(mention_line(mention) + b"\n")
        if sys.stdin.isatty():
            out.flush()
    out.flush()
    if bad:
        click.echo(f"detect: {bad} of {lines} lines are not articles", err=True)
        sys.exit(1)

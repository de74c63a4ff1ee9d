"""`summitry detect`: articles in, mentions out."""

from __future__ import annotations

import sys

import click

from monitor.detect import Detector
from monitor.errors import DecodeError
from monitor.records import Article, decode, mention_line
from monitor.watchlist import bundled, load


@click.command()
@click.option("--watchlist", type=click.Path(dir_okay=False))
@click.option("--explain", is_flag=True)
def detect(watchlist: str | None, explain: bool) -> None:
    detector = Detector(load(watchlist) if watchlist else bundled())
    bad = 0
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            article = decode(Article, line)
        except DecodeError as error:
            bad += 1
            click.echo(f"line {number}: {error}", err=True)
            continue
        for mention in detector.detect(article):
            sys.stdout.buffer.write(mention_line(mention) + b"\n")
    if bad:
        sys.exit(1)

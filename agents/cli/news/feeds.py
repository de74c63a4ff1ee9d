"""`summitry feeds`: check, find, list, import, export, refresh and remove feeds."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import click
import msgspec

from agents.cli.command_group import CommandGroup
from agents.cli.connect import broker_options, connection
from agents.cli.options import config_option, format_option
from agents.pollers.feed_topics import ask_now, load_feeds, load_states, put_feeds
from agents.stream.topics import TopicNames
from monitor.clock import service_clock
from monitor.config import Config, load_config
from monitor.errors import ConfigError, FeedError, HttpError, UnknownIdError
from monitor.feeds.pages.discover import discover as discover_feeds
from monitor.feeds.polling import feed_report
from monitor.feeds.polling.document_reader import DocumentReader
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.fetch import Fetcher, FetchResult
from monitor.feeds.polling.poll import poll
from monitor.feeds.polling.schedule import ScheduleRules, after, begin
from monitor.feeds.sandbox.parser_pool import ParserPool
from monitor.feeds.subscriptions import catalogue, opml
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.addresses import AddressBook, parse_networks
from monitor.kafka import BrokerSettings, wait_for_broker

Command = Callable[..., None]


#: The most seconds that a command waits for the broker; a service waits for broker.connect_timeout.
_PATIENCE_S = 10.0


@click.group(cls=CommandGroup)
def feeds() -> None:
    r"""Check, find, list, import and export feeds.

    \b
    summitry feeds check https://feeds.bbci.co.uk/news/world/rss.xml
    summitry feeds discover https://www.theguardian.com/world
    summitry feeds list --broker kafka://localhost:9092
    summitry feeds import desk.opml --broker kafka://localhost:9092
    """


@feeds.command(short_help="Fetch one feed and explain the result.")
@click.argument("what", metavar="URL|ID|FILE")
@config_option
@click.option("--private", is_flag=True, help="Allow addresses in private networks.")
@click.option("--timezone", default="", metavar="ZONE", help="The zone of dates without one: Asia/Tokyo, +09:00.")
@click.option(
    "--entries",
    "shown",
    metavar="NUMBER",
    type=click.IntRange(0),
    default=5,
    show_default=True,
    help="How many entries to print.",
)
@format_option
def check(what: str, config_file: Path | None, timezone: str, shown: int, form: str, *, private: bool) -> None:
    r"""Fetch a feed once, or read a file, and explain the result and what the poller would do.

    ID is the id of a feed in your lists; its options are then used. The exit code is 1 when it is not a readable feed.

    \b
    summitry feeds check https://www.rt.com/rss/news/
    summitry feeds check bbc-world
    summitry feeds check saved.xml --timezone Asia/Tokyo
    """
    config = load_config(config_file, os.environ)
    feed = _feed_named(what, config)
    if timezone:
        feed = msgspec.structs.replace(feed, timezone=timezone)
    if private:
        feed = msgspec.structs.replace(feed, allow_private_network=True)
    body = Path(what).read_bytes() if _is_file(what) else None
    result = asyncio.run(_check_url(feed, config) if body is None else _check_file(what, body, feed))
    if form == "json":
        click.echo(msgspec.json.encode(feed_report.as_json(result)))
    else:
        click.echo(feed_report.explain(result, shown))
    sys.exit(1 if result.document is None else 0)


def _is_file(what: str) -> bool:
    # A URL is never looked up as a file: it may be too long for a file name.
    return "://" not in what and Path(what).is_file()


def _feed_named(what: str, config: Config) -> Subscription:
    if _is_file(what):
        return Subscription(id="file", url="http://localhost/")
    if "://" in what:
        return catalogue.subscription_of(what)
    for feed in catalogue.load_feeds(config.feeds):
        if feed.id == what:
            return feed
    raise UnknownIdError(
        f"{what[:100]!r} is not a URL, a file, or the id of a feed in your lists; a URL begins with https://"
    )


class _Recorder:
    """Fetches as the poller does, and stores the response and its duration."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._fetcher = fetcher
        self.fetched: FetchResult | None = None
        self.seconds = 0.0

    async def get(self, feed: Subscription, *, url: str = "", etag: str = "", last_modified: str = "") -> FetchResult:
        began = time.monotonic()
        try:
            self.fetched = await self._fetcher.get(feed, url=url, etag=etag, last_modified=last_modified)
        finally:
            self.seconds = time.monotonic() - began
        return self.fetched


async def _check_url(feed: Subscription, config: Config) -> feed_report.FeedCheck:
    now = service_clock()()
    fetcher = _fetcher(config)
    recorder = _Recorder(fetcher)
    try:
        async with ParserPool(1) as pool:
            state = begin(None, feed)
            polled = await poll(feed, state, {}, get=recorder, read=DocumentReader(pool), now=now.timestamp())
    finally:
        await fetcher.aclose()
    rules = ScheduleRules(config.poller.floor.total_seconds(), config.poller.ceiling.total_seconds())
    answer, reading = polled.answer, polled.reading
    return feed_report.FeedCheck(
        feed=feed,
        now=now,
        fetched=recorder.fetched,
        seconds=recorder.seconds,
        document=reading.document if reading else None,
        found=reading.entries if reading else None,
        state=after(state, feed, answer, now=now.timestamp(), draw=0.5, rules=rules),
        error=answer.text,
        reason=answer.reason,
    )


async def _check_file(name: str, body: bytes, feed: Subscription) -> feed_report.FeedCheck:
    now = service_clock()()
    fetched = FetchResult(200, feed.url, {}, body)
    try:
        async with ParserPool(1) as pool:
            reading = await DocumentReader(pool).read(feed, FeedState(feed=feed.id), {}, fetched, now.timestamp())
    except (FeedError, HttpError) as error:
        return feed_report.FeedCheck(file=name, feed=feed, now=now, error=str(error), reason=error.reason)
    return feed_report.FeedCheck(file=name, feed=feed, now=now, document=reading.document, found=reading.entries)


def _fetcher(config: Config) -> Fetcher:
    try:
        allowed = parse_networks(config.poller.allow_private_networks)
    except ValueError as error:
        raise ConfigError("configuration", "poller.allow_private_networks", str(error), "write 10.0.0.0/8") from error
    return Fetcher(
        AddressBook(allowed),
        contact=config.poller.contact,
        timeout_s=config.poller.timeout.total_seconds(),
        max_decoded=config.poller.max_bytes,
    )


@feeds.command(short_help="Find the feeds of a site.")
@click.argument("url")
@config_option
@click.option("--private", is_flag=True, help="Allow addresses in private networks.")
@format_option
def discover(url: str, config_file: Path | None, form: str, *, private: bool) -> None:
    r"""Find the feeds of a site: those that its page links to, or those at usual paths such as /feed/.

    The exit code is 1 when no feed is found.

    \b
    summitry feeds discover https://www.theguardian.com/world
    """
    config = load_config(config_file, os.environ)

    async def run() -> list[object]:
        fetcher = _fetcher(config)
        try:
            async with ParserPool(1) as pool:
                return list(await discover_feeds(url, fetcher, pool, allow_private=private))
        finally:
            await fetcher.aclose()

    catalogue.subscription_of(url)  # raises ConfigError for an invalid URL, before anything is fetched
    found = asyncio.run(run())
    for one in msgspec.to_builtins(found):
        if form == "json":
            click.echo(msgspec.json.encode(one))
        else:
            click.echo(
                f"{one['url']}\n    {one['title'] or 'no title'}: {one['entries']} entries, {one['mode']}; {one['how']}"
            )
    if not found:
        click.echo(f"no feeds were found at {url}", err=True)
    sys.exit(0 if found else 1)


@feeds.command("import", short_help="Add feeds from a file or a URL.")
@click.argument("what", metavar="FILE|URL")
@broker_options
@click.option("--dry-run", is_flag=True, help="Only read and report; write nothing.")
def import_(what: str, config_file: Path | None, broker: str | None, *, dry_run: bool) -> None:
    r"""Add feeds to the running service, from an OPML or YAML file or a single URL.

    Pollers use them within seconds. A feed that exists already gets the options of the file. Rows that can't be read
    are reported and skipped.

    \b
    summitry feeds import subscriptions.opml --broker kafka://localhost:9092
    summitry feeds import desk.yaml --config summitry.yaml
    summitry feeds import https://example.org/feed.xml --config summitry.yaml
    """
    path = Path(what)
    problems: tuple[opml.Problem, ...] = ()
    if path.suffix.lower() in {".opml", ".xml"} and "://" not in what:
        found, problems = _opml(path)
    else:
        found = catalogue.load_feeds([what])
    for problem in problems:
        click.echo(f"{what}: line {problem.line}: {problem.text}", err=True)
    summary = f"{len(found)} feeds read, {len(problems)} rows skipped"
    if dry_run:
        click.echo(f"{summary}; nothing was written")
        return
    settings, topics, wait = _service(config_file, broker)

    async def run() -> int:
        await wait_for_broker(settings, wait)
        written, _ = await put_feeds(settings, topics.feeds, found)
        return written

    written = asyncio.run(run())
    click.echo(f"{summary}; {written} new or changed, {len(found) - written} unchanged")


def _opml(path: Path) -> tuple[tuple[Subscription, ...], tuple[opml.Problem, ...]]:
    try:
        outline = opml.read_opml(path.read_bytes())
    except OSError as error:
        raise ConfigError(str(path), "", f"can't be read: {error.strerror}") from error
    return outline.feeds, outline.problems


@feeds.command(short_help="Remove feeds with their state.")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@broker_options
def remove(ids: tuple[str, ...], config_file: Path | None, broker: str | None) -> None:
    r"""Remove feeds from the running service, with their state.

    \b
    summitry feeds remove example.org-1a2b3c4d --broker kafka://localhost:9092
    """
    settings, topics, wait = _service(config_file, broker)

    async def run() -> list[str]:
        await wait_for_broker(settings, wait)
        _, removed = await put_feeds(settings, topics.feeds, (), remove=ids)
        return removed

    removed = asyncio.run(run())
    click.echo(f"{len(removed)} of {len(ids)} feeds removed")
    _require_all(ids, removed)


@feeds.command(short_help="Poll feeds now.")
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@broker_options
def refresh(ids: tuple[str, ...], config_file: Path | None, broker: str | None) -> None:
    r"""Poll feeds of the running service now; a feed that was polled within the last minute is not polled again.

    \b
    summitry feeds refresh bbc-world tass-en --broker kafka://localhost:9092
    """
    settings, topics, wait = _service(config_file, broker)

    async def run() -> list[str]:
        await wait_for_broker(settings, wait)
        return await ask_now(settings, topics.feeds, ids)

    asked = asyncio.run(run())
    click.echo(f"{len(asked)} of {len(ids)} feeds are polled now")
    _require_all(ids, asked)


@feeds.command()
@broker_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["opml", "yaml"]),
    default="opml",
    show_default=True,
    help="OPML for feed readers, or YAML with all options.",
)
@click.option("--bundled", is_flag=True, help="The bundled list instead of the running service's feeds.")
def export(config_file: Path | None, broker: str | None, form: Literal["opml", "yaml"], *, bundled: bool) -> None:
    r"""Print the feeds of the running service as OPML or YAML. Credentials are never printed.

    \b
    summitry feeds export --broker kafka://localhost:9092 > feeds.opml
    summitry feeds export --bundled --format yaml > my-feeds.yaml
    """
    found = catalogue.bundled() if bundled else tuple(asyncio.run(_subscriptions(config_file, broker)))
    click.echo(opml.write_opml(found) if form == "opml" else catalogue.to_yaml(found), nl=False)


async def _subscriptions(config_file: Path | None, broker: str | None) -> list[Subscription]:
    settings, topics, wait = _service(config_file, broker)
    await wait_for_broker(settings, wait)
    found = await load_feeds(settings, topics.feeds)
    return sorted(found.values(), key=lambda feed: feed.id)


@feeds.command("list", short_help="Show the state of each feed.")
@broker_options
@click.option(
    "--state",
    "wanted",
    multiple=True,
    metavar="STATE",
    type=click.Choice(feed_report.STATES, case_sensitive=False),
    help="Only feeds in this state. Repeatable.",
)
@format_option
def list_(config_file: Path | None, broker: str | None, wanted: tuple[str, ...], form: str) -> None:
    r"""Show the state of each feed of the running service, problems first.

    \b
    OK        polls succeed
    EMPTY     a valid document without entries
    STALE     answers, but has had no new entry for long
    CHURNING  every entry is new, or a correction, at each poll
    BLOCKED   refuses us: login, robot check, or a web page instead
    MOVED     permanently redirected; change the URL in your list
    ERROR     polls fail
    DEAD      polls have failed for a week
    GONE      answered 410 Gone on several days
    NEW       not polled yet
    OFF       disabled in the list

    Columns: NEXT is the time until the next poll, ANSWER the last HTTP status or the reason of the failure. POLLS, 304
    and NEW count polls, unchanged answers and new entries of the last 24 hours. MODE is the format of the document, KEY
    the key that identifies its entries.

    \b
    summitry feeds list --broker kafka://localhost:9092
    summitry feeds list --state BLOCKED --state DEAD --format json
    """
    settings, topics, wait = _service(config_file, broker)

    async def run() -> tuple[dict[str, Subscription], dict[str, FeedState]]:
        await wait_for_broker(settings, wait)
        return await load_feeds(settings, topics.feeds), await load_states(settings, topics.feed_state)

    found, states = asyncio.run(run())
    now = service_clock()().timestamp()
    rows = [row for row in feed_report.statuses(found.values(), states, now) if not wanted or row.state in wanted]
    if form == "json":
        for row in rows:
            click.echo(msgspec.json.encode(row))
    else:
        click.echo(feed_report.table(rows, now))


def _require_all(ids: tuple[str, ...], known: list[str]) -> None:
    """Check that all ids that the user gave are known. Raises UnknownIdError."""
    if unknown := [one for one in ids if one not in known]:
        raise UnknownIdError(f"no feed {', '.join(unknown)}; see `summitry feeds list` for the ids")


def _service(config_file: Path | None, broker: str | None) -> tuple[BrokerSettings, TopicNames, float]:
    config, settings, names = connection(config_file, broker)
    return settings, names, min(_PATIENCE_S, config.broker.connect_timeout.total_seconds())

"""Load lists of feeds: the bundled list, YAML and OPML files, and the URLs of single feeds.

A user's list can include others and change single options of their feeds:

    include: [bundled, ../desk/gulf.yaml]
    feeds:
      - url: https://example.org/feed.xml
        outlet: The Example
        language: en
        country: GB
      - {id: bbc-world, interval_s: 300}     # a feed of an included list, with one option changed
      - {id: rt, enabled: false}

Every mistake is raised as a ConfigError that names file, key, problem and fix.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import structlog
import yaml

from monitor.errors import ConfigError, DataFileError
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.subscriptions import opml, outlets
from monitor.feeds.subscriptions.options import MistakeError, options_of, subscription
from monitor.feeds.subscriptions.subscription import Subscription

logger = structlog.get_logger()

BUNDLED = "bundled"
_MAX_DEPTH = 8
#: A list with a thousand feeds has some 200 kB; YAML takes seconds for each MiB.
_MAX_BYTES = 4 * 1024 * 1024


@cache
def bundled() -> tuple[Subscription, ...]:
    """Return the feeds of the bundled list, including disabled ones. Raises DataFileError when it is not valid."""
    feeds: dict[str, Subscription] = {}
    for outlet in outlets.outlets():
        for each in outlet.feeds:
            row = {**outlets.whose(outlet), "outlet": each.title or outlet.name, **each.options()}
            try:
                feed = subscription(row)
            except MistakeError as mistake:
                where = f"{outlet.id}: {each.id}: {mistake.key}"
                raise DataFileError(outlets.FILE, where, mistake.problem) from mistake
            if feed.id in feeds:
                raise DataFileError(outlets.FILE, outlet.id, f"feed id {feed.id!r} is used twice")
            feeds[feed.id] = feed
    return tuple(feeds.values())


def load_feeds(lists: Iterable[str]) -> tuple[Subscription, ...]:
    """Return the feeds of all lists: each is `bundled`, the path of a YAML or OPML file, or the URL of one feed.

    When two lists have a feed with the same id or the same URL, the later list wins. A row of an OPML file that can't
    be read is logged and left out. Raises ConfigError for a mistake in a user's list, DataFileError in the bundled one.
    """
    feeds: dict[str, Subscription] = {}
    for name in lists:
        _merge(feeds, _load(name, ()))
    return tuple(feeds.values())


def read_yaml(path: Path) -> tuple[Subscription, ...]:
    """Return the feeds of one YAML file and of the lists that it includes. Raises ConfigError."""
    return tuple(_read_yaml(path, ()).values())


def subscription_of(url: str) -> Subscription:
    """Return a subscription for a URL; outlet, owner and country are filled in when its host is a bundled outlet's.

    Raises ConfigError when it is not a valid URL.
    """
    try:
        return subscription({"url": url, **outlets.known_of(url)})
    except MistakeError as mistake:
        raise ConfigError("feeds", url[:200], mistake.problem, "write https://HOST/PATH") from mistake


def to_yaml(feeds: Iterable[Subscription]) -> str:
    """Write feeds as a YAML list that `read_yaml` can read, with the options that differ from the defaults.

    It contains no secrets, only references to the files or variables that hold them.
    """
    rows = [options_of(feed) for feed in feeds]
    return yaml.safe_dump({"feeds": rows}, sort_keys=False, allow_unicode=True, width=110)


def _load(name: str, parents: tuple[Path, ...]) -> dict[str, Subscription]:
    if name == BUNDLED:
        return {feed.id: feed for feed in bundled()}
    if "://" in name:
        feed = subscription_of(name)
        return {feed.id: feed}
    path = Path(name)
    if path.suffix.lower() in {".opml", ".xml"}:
        return _read_opml(path)
    return _read_yaml(path, parents)


def _read_opml(path: Path) -> dict[str, Subscription]:
    try:
        outline = opml.read_opml(path.read_bytes())
    except OSError as error:
        raise ConfigError(str(path), "", f"can't be read: {error.strerror}") from error
    for problem in outline.problems:
        logger.warning("opml_row_skipped", file=str(path), line=problem.line, problem=problem.text)
    return {feed.id: feed for feed in outline.feeds}


def _parsed(path: Path) -> object:
    """Return the file's YAML as plain values. Raises ConfigError when it is invalid, too large or too deeply nested."""
    file = str(path)
    try:
        if (size := path.stat().st_size) > _MAX_BYTES:
            raise ConfigError(file, "", f"{size} bytes is too large for a list of feeds", "include several files")
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(file, "", f"can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(file, "", "is not UTF-8", "save it as UTF-8") from error
    except RecursionError as error:
        raise ConfigError(file, "", "nested too deeply", "a list of feeds has four levels") from error
    except (yaml.YAMLError, ValueError) as error:  # ValueError: YAML reads 2026-02-30 as a date
        raise ConfigError(file, "", " ".join(str(error).split())[:300], "correct the YAML") from error


def _read_yaml(path: Path, parents: tuple[Path, ...]) -> dict[str, Subscription]:
    file, whole = str(path), _parsed(path)
    if not isinstance(whole, dict):
        raise ConfigError(file, "", "is not a list of feeds", "begin with `feeds:`")
    for key in whole:
        if key not in {"feeds", "include"}:
            raise ConfigError(file, str(key), "is not a key of a list of feeds", "use `include` and `feeds`")
    feeds: dict[str, Subscription] = {}
    resolved = path.resolve()
    for name in _strings(file, "include", whole.get("include")):
        if resolved in parents or len(parents) >= _MAX_DEPTH:
            raise ConfigError(file, "include", "the lists include each other", "take one of them out")
        inner = name if name == BUNDLED or "://" in name else str(path.parent / Path(name).expanduser())
        _merge(feeds, _load(inner, (*parents, resolved)))
    rows = whole.get("feeds") or []
    if not isinstance(rows, list):
        raise ConfigError(file, "feeds", "must be a list", "write `- url: https://...` for each feed")
    own: set[str] = set()
    for number, row in enumerate(rows):
        try:
            feed = subscription(row, feeds)
        except MistakeError as mistake:
            key = f"feeds[{number}]" + (f".{mistake.key}" if mistake.key else "")
            raise ConfigError(file, key, mistake.problem, mistake.fix) from mistake
        if feed.id in own:
            raise ConfigError(file, f"feeds[{number}]", f"feed {feed.id!r} is in the list twice", "remove one")
        own.add(feed.id)
        _merge(feeds, {feed.id: feed})
    return feeds


def _merge(feeds: dict[str, Subscription], more: Mapping[str, Subscription]) -> None:
    """Add `more` to `feeds`; a feed with the same URL but another id is replaced."""
    addresses = {article_urls.link_key(feed.url): feed.id for feed in feeds.values()}
    for feed in more.values():
        twin = addresses.get(article_urls.link_key(feed.url))
        if twin is not None and twin != feed.id:
            feeds.pop(twin, None)
        feeds[feed.id] = feed


def _strings(file: str, key: str, value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    raise ConfigError(file, key, "must be a list of names", f"write `{key}: [bundled]`")

"""`summitry config`: check a configuration and show it whole."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from monitor.config import Config, Match, load_config, shown
from monitor.config.secret import redacted
from monitor.config.source import did_you_mean
from monitor.errors import ConfigError
from monitor.feeds.subscriptions.catalogue import load_feeds
from monitor.notify.messages.wording import wording

DEFAULT = Path("summitry.yaml")

_file = click.argument("file", required=False, type=click.Path(path_type=Path))


@click.group()
def config() -> None:
    r"""Check the configuration, or show it with all defaults.

    Every key can be given as an environment variable, too: SUMMITRY_SECTION__KEY.

    \b
    summitry config check summitry.yaml
    SUMMITRY_LOG__LEVEL=debug summitry config show summitry.yaml
    """


@config.command()
@_file
def check(file: Path | None) -> None:
    r"""Find the first mistake in FILE (summitry.yaml, when it is there) and the environment.

    Prints one line: the file and line, the key, what is wrong, what would be right. Exit code 2 for a mistake. Secrets
    are read, the watchlist, the lists of feeds and the templates are loaded, but nothing is connected to.

    \b
    summitry config check summitry.yaml
    """
    path = _chosen(file)
    loaded = load_config(path, os.environ)
    wording(loaded.alerts.templates)
    _check_leaders(loaded, path)
    feeds = load_feeds(loaded.feeds)
    receivers = ", ".join(f"{name} ({receiver.__struct_config__.tag})" for name, receiver in loaded.receivers.items())
    routes = ", ".join(route.name for route in loaded.all_routes())
    click.echo(f"{path or 'defaults'}: fine. Broker {redacted(loaded.broker.url)}; receivers {receivers};")
    click.echo(f"routes {routes}; {len(feeds)} feeds of {redacted(', '.join(loaded.feeds))}")


@config.command()
@_file
def show(file: Path | None) -> None:
    r"""Print the whole configuration as YAML: FILE, the environment and the defaults, secrets masked.

    \b
    summitry config show summitry.yaml
    """
    click.echo(shown(load_config(_chosen(file), os.environ)), nl=False)


def _chosen(file: Path | None) -> Path | None:
    return file if file is not None else DEFAULT if DEFAULT.is_file() else None


def _check_leaders(config: Config, path: Path | None) -> None:
    """Matchers that name a leader nobody tracks would never match. Raises ConfigError, or the watchlist's own error."""
    matchers: list[tuple[str, Match]] = []
    for number, route in enumerate(config.routes):
        matchers.append((f"routes[{number}].match", route.match))
        if route.exclude:
            matchers.append((f"routes[{number}].exclude", route.exclude))
    matchers += [(f"silences[{number}].match", silence.match) for number, silence in enumerate(config.silences)]
    check_leaders(config, matchers, str(path))


def check_leaders(config: Config, matchers: Sequence[tuple[str, Match]], source: str) -> None:
    """Raise ConfigError for the first leader of the matchers (each with where it stands) who is not in the watchlist.

    A watchlist of the user's own is loaded in any case, and its own error raised.
    """
    from monitor.watchlist import bundled, load  # noqa: PLC0415 - the roster is large

    wanted = [(where, name) for where, match in matchers for name in match.leaders]
    wanted += [(where, name) for where, match in matchers for pair in match.pairs for name in pair.split("+")]
    if not wanted and config.watchlist is None:
        return
    known = set((load(config.watchlist) if config.watchlist else bundled()).leaders)
    for where, name in wanted:
        if name not in known:
            near = did_you_mean(name, sorted(known))
            hint = near if near.startswith("did") else "`summitry watchlist show` lists them"
            raise ConfigError(source, where, f"no leader '{name}' is in the watchlist", hint)

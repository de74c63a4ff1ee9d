"""`summitry config`: check a configuration, or show it with all defaults."""

from __future__ import annotations

import os
from pathlib import Path

import click

from agents.cli.command_group import CommandGroup
from monitor.clock import service_clock
from monitor.config import Config, load_config, shown
from monitor.config.secret import redacted
from monitor.feeds.subscriptions.catalogue import load_feeds
from monitor.notify.messages.wording import words_of

DEFAULT = Path("summitry.yaml")

_file = click.argument("file", required=False, type=click.Path(path_type=Path))


@click.group(cls=CommandGroup)
def config() -> None:
    r"""Check the configuration, or show it with all defaults.

    Every key can also be set by an environment variable named SUMMITRY_SECTION__KEY.

    \b
    summitry config check summitry.yaml
    SUMMITRY_LOG__LEVEL=debug summitry config show summitry.yaml
    """


@config.command(short_help="Find mistakes in the configuration.")
@_file
def check(file: Path | None) -> None:
    r"""Find the first mistake in FILE (default: summitry.yaml, if it exists) and the environment.

    A mistake is printed in one line (file and line, key, problem, fix), and the exit code is 2. Secrets, watchlist,
    lists of feeds and templates are loaded too, but no connection is made.

    \b
    summitry config check summitry.yaml
    """
    path = _chosen(file)
    loaded = load_config(path, os.environ)
    words_of(loaded)
    _check_languages(loaded)
    resolved(loaded, str(path or "defaults"))
    feeds = load_feeds(loaded.feeds)
    receivers = ", ".join(f"{name} ({receiver.__struct_config__.tag})" for name, receiver in loaded.receivers.items())
    routes = ", ".join(route.name for route in loaded.all_routes())
    click.echo(f"{path or 'defaults'}: ok. Broker {redacted(loaded.broker.url)}; receivers {receivers};")
    click.echo(f"routes {routes}; {len(feeds)} feeds from {redacted(', '.join(loaded.feeds))}")


@config.command(short_help="Print the whole configuration as YAML.")
@_file
def show(file: Path | None) -> None:
    r"""Print the whole configuration as YAML: FILE, environment and defaults, with secrets masked.

    \b
    summitry config show summitry.yaml
    """
    click.echo(shown(load_config(_chosen(file), os.environ)), nl=False)


def _check_languages(config: Config) -> None:
    """Check `detection.languages`. Raises ConfigError for a language that is not bundled."""
    if config.detection.languages:
        from monitor.detect import check_languages  # noqa: PLC0415 - the detector takes long to import

        check_languages(config.detection.languages)


def _chosen(file: Path | None) -> Path | None:
    return file if file is not None else DEFAULT if DEFAULT.is_file() else None


def resolved(config: Config, source: str) -> Config:
    """Return the configuration with the ids of leaders and countries in place of their names.

    Raises ConfigError for an unknown name, or for a mistake in the watchlist.
    """
    from agents.process.config_names import with_ids  # noqa: PLC0415 - the roster is large
    from monitor.watchlist import load_or_bundled  # noqa: PLC0415

    people = load_or_bundled(config.watchlist)
    return with_ids(config, people, service_clock()().date(), source)

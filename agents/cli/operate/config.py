"""`summitry config`: check a configuration and show it whole."""

from __future__ import annotations

import os
from pathlib import Path

import click

from monitor.clock import service_clock
from monitor.config import Config, load_config, shown
from monitor.config.secret import redacted
from monitor.feeds.subscriptions.catalogue import load_feeds
from monitor.notify.messages.wording import words_of

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
    words_of(loaded)
    _check_languages(loaded)
    resolved(loaded, str(path or "defaults"))
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


def _check_languages(config: Config) -> None:
    """Raise ConfigError for a language of `detection.languages` that is not bundled."""
    if config.detection.languages:
        from monitor.detect import check_languages  # noqa: PLC0415 - the detector takes long to import

        check_languages(config.detection.languages)


def _chosen(file: Path | None) -> Path | None:
    return file if file is not None else DEFAULT if DEFAULT.is_file() else None


def resolved(config: Config, source: str) -> Config:
    """Return the configuration with ids for the names in its matchers; its own watchlist is loaded in any case.

    Raises ConfigError for a name that nobody bears, or the watchlist's own error.
    """
    from agents.process.config_names import with_ids  # noqa: PLC0415 - the roster is large
    from monitor.watchlist import load_or_bundled  # noqa: PLC0415

    people = load_or_bundled(config.watchlist)
    return with_ids(config, people, service_clock()().date(), source)

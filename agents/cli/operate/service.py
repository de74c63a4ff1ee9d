"""`summitry up`, `poller` and `worker`: the long-running processes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import click

from agents.cli.connect import broker_options, connection
from monitor.config import Config, load_config
from monitor.errors import ConfigError
from monitor.kafka import BrokerSettings
from monitor.loop import collect_rarely, loop_factory


@click.command()
@broker_options
@click.option("-v", "--verbose", is_flag=True, help="Log everything, not only warnings and errors.")
def up(config_file: Path | None, broker: str | None, *, verbose: bool) -> None:
    r"""Run the whole service on this machine until Ctrl-C.

    Without a configuration it polls the bundled list of world-news feeds, prints alerts on the console, and uses an
    embedded broker that keeps everything in memory. Alerts go to standard output, logs to standard error.

    \b
    summitry up
    summitry up --config summitry.yaml
    summitry up --config summitry.yaml --broker kafka://localhost:9092
    """
    from agents.process.up import run_up  # noqa: PLC0415  # so that `--help` is fast

    config = load_config(config_file, os.environ)
    sys.exit(asyncio.run(run_up(config, config_file, broker, verbose=verbose)))


@click.command()
@broker_options
def poller(config_file: Path | None, broker: str | None) -> None:
    r"""Run one poller, which polls feeds and publishes articles. Several pollers share the feeds.

    \b
    summitry poller --config summitry.yaml
    """
    from agents.pollers.run_poller import run  # noqa: PLC0415

    collect_rarely()
    _serve("poller", config_file, broker, run, loop_factory())


@click.command()
@broker_options
def worker(config_file: Path | None, broker: str | None) -> None:
    r"""Run one worker: detection, assembly and notification. Several workers share the work.

    \b
    summitry worker --config summitry.yaml
    """
    from agents.worker import run_worker  # noqa: PLC0415

    _serve("worker", config_file, broker, run_worker)


def _serve(
    role: str,
    config_file: Path | None,
    broker: str | None,
    run: Callable[[Config, BrokerSettings, asyncio.Event], Awaitable[None]],
    make_loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> None:
    from agents.process.running import run_service  # noqa: PLC0415

    config, settings, _ = connection(config_file, broker)
    try:
        run_service(role, config, partial(run, config, settings), make_loop)
    except ConfigError as error:
        click.echo(f"summitry {role}: {error}", err=True)
        sys.exit(2)

"""`summitry board`: serve the web pages, the API and the subscriptions."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click
from msgspec.structs import replace

from agents.cli.connect import broker_options, connection
from monitor.errors import ConfigError


@click.command()
@broker_options
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port, instead of the configured one; 0 for any free port."
)
@click.option(
    "--password",
    "user",
    metavar="NAME",
    help="Do not serve: ask for a password, and print the line of user NAME for the file board.passwords.",
)
def board(config_file: Path | None, broker: str | None, port: int | None, user: str | None) -> None:
    r"""Serve the board: web pages to browse and search events, an API, and subscriptions.

    The board reads the topics into its own archive. By default it listens on this machine only (docs/board.md).

    \b
    summitry board --config summitry.yaml
    summitry board --broker kafka://localhost:9092 --port 8080
    summitry board --password ada >> passwords
    """
    if user:
        from agents.board.access import password_line  # noqa: PLC0415

        if ":" in user or not user.strip():
            raise click.BadParameter("the name must not be empty or contain a colon", param_hint="--password")
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        click.echo(password_line(user.strip(), password))
        return
    from agents.board.run import run_board  # noqa: PLC0415  # so that `--help` is quick
    from agents.process.running import run_service  # noqa: PLC0415

    config, settings, _ = connection(config_file, broker)
    if port is not None:
        config = replace(config, board=replace(config.board, port=port))
    try:
        run_service("board", config, partial(run_board, config, settings))
    except ConfigError as error:
        click.echo(f"summitry board: {error}", err=True)
        sys.exit(2)

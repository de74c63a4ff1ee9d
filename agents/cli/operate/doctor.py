"""`summitry doctor`: check everything that the service needs, and print what is wrong and how to fix it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from agents.cli.connect import broker_options
from agents.cli.options import format_option
from agents.process.diagnosis import Finding, check_broker, check_machine, check_names, check_tracing
from monitor.clock import service_clock
from monitor.config import Config, load_config
from monitor.errors import SummitryError
from monitor.kafka import BrokerSettings

_MARKS = {"fine": "ok     ", "warning": "warning", "wrong": "WRONG  "}


@click.command()
@click.option("--send", is_flag=True, help="Also send a test message to each receiver.")
@format_option
@broker_options
def doctor(config_file: Path | None, broker: str | None, form: str, *, send: bool) -> None:
    r"""Check versions, codecs, clock, disk, configuration, watchlist, feeds, broker, topics and receivers.

    Prints a line for each check, and how to fix a problem. The exit code is 1 when something is wrong; warnings do not
    change it. Nothing is written or sent, except test messages with --send.

    \b
    summitry doctor --config summitry.yaml
    summitry doctor --config summitry.yaml --send
    """
    wrong = 0
    for finding in _findings(config_file, broker, send=send):
        wrong += finding.state == "wrong"
        if form == "json":
            click.echo(json.dumps(asdict(finding), ensure_ascii=False))
            continue
        click.echo(f"{_MARKS[finding.state]}  {finding.check:<14} {finding.detail}")
        if finding.fix:
            click.echo(f"{'':<9}{'':<15}→ {finding.fix}")
    if wrong:
        sys.exit(1)


def _findings(config_file: Path | None, broker: str | None, *, send: bool) -> Iterator[Finding]:
    yield from check_machine()
    try:
        config = load_config(config_file, os.environ)
    except SummitryError as error:
        yield Finding("configuration", "wrong", str(error), "correct it; the other checks need it and were skipped")
        return
    yield Finding("configuration", "fine", str(config_file or "defaults"))
    yield from check_names(config, service_clock()().date())
    yield from check_tracing(config)
    if broker is None and config.broker.url == "embedded":
        yield Finding(
            "broker", "warning", "embedded: all data is lost when it stops", "use it for trials only; set broker.url"
        )
    else:
        settings = BrokerSettings.from_url(broker) if broker else BrokerSettings.from_config(config.broker)
        yield from asyncio.run(check_broker(config, settings))
    yield from _receivers(config, broker, send=send)


def _receivers(config: Config, broker: str | None, *, send: bool) -> Iterator[Finding]:
    """Check each receiver: with `send` by a test message."""
    from agents.cli.alerts.receivers import send_test  # noqa: PLC0415  # brings the receivers' libraries

    for name, receiver in config.receivers.items():
        kind = str(receiver.__struct_config__.tag)
        if not send:
            yield Finding(f"receiver {name}", "fine", f"{kind}, not tried; --send sends it a test message")
            continue
        try:
            asyncio.run(send_test(config, name, broker))
        except SummitryError as error:
            yield Finding(f"receiver {name}", "wrong", str(error), f"try it alone: `summitry receivers test {name}`")
        else:
            yield Finding(f"receiver {name}", "fine", f"{kind}, took a test message")

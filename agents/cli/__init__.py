"""The `summitry` command. Each command is a module of this package, which is imported only when it is called."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from agents.cli.command_group import CommandGroup
from monitor.errors import SummitryError

#: For each command, in the order of `summitry --help`: "module:attribute" of its click command, and its short help. The
#: short help is here so that `summitry --help` imports no command.
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("agents.cli.operate.service:up", "Run the whole service on this machine until Ctrl-C."),
    "poller": ("agents.cli.operate.service:poller", "Run one poller: poll feeds, publish articles."),
    "worker": ("agents.cli.operate.service:worker", "Run one worker: detection, assembly, notification."),
    "topics": ("agents.cli.operate.topics:topics", "Create, list, back up and restore the Kafka topics."),
    "detect": ("agents.cli.news.detect:detect", "Find contacts between leaders in articles."),
    "replay": ("agents.cli.news.replay:replay", "Run an archive of articles; print the resulting events."),
    "backtest": ("agents.cli.alerts.backtest:backtest", "Show which alerts a configuration would have sent."),
    "events": ("agents.cli.news.events:events", "Print the events on the broker, or follow them."),
    "board": ("agents.cli.operate.board:board", "Serve the board: browse, search and subscribe to events."),
    "export": ("agents.cli.news.export:export", "Write events as CSV, calendar, Atom feed and other formats."),
    "feeds": ("agents.cli.news.feeds:feeds", "Check, find, list, import and export feeds."),
    "watchlist": ("agents.cli.news.watchlist:watchlist", "Show or check the tracked leaders, offices and names."),
    "config": ("agents.cli.operate.config:config", "Check the configuration, or show it with all defaults."),
    "receivers": ("agents.cli.alerts.receivers:receivers", "List the receivers of alerts, or send a test message."),
    "deliveries": ("agents.cli.alerts.deliveries:deliveries", "List sent alerts; send failed ones again."),
    "feedback": ("agents.cli.alerts.feedback:feedback", "List readers' feedback, or export it as training data."),
    "silence": ("agents.cli.alerts.silence:silence", "Suppress alerts about some events for a while."),
    "doctor": ("agents.cli.operate.doctor:doctor", "Check the installation, configuration, broker and receivers."),
    "dead-letters": ("agents.cli.operate.dead_letters:dead_letters", "List, show or replay records that failed."),
}


def _as_written(command: click.Command) -> click.Command:
    r"""Replace `\b` in our raw docstrings by the backspace with which click marks paragraphs not to be wrapped."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    if isinstance(command, click.Group) and not isinstance(command, _LazyGroup):
        for inner in command.commands.values():
            _as_written(inner)
    return command


class _LazyGroup(CommandGroup):
    """A group that imports a command's module only when the command is looked up."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        target = COMMANDS.get(cmd_name)
        if target is None:
            return None
        module, _, attribute = target[0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{target[0]} is not a click command")
        return _as_written(command)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Print an error of the project as one line on standard error, and end quietly when a pipe is closed.

    The exit code is 1 for an unknown id or name, and 2 for any other error.
    """
    try:
        yield
    except SummitryError as error:
        from monitor.config.secret import redacted  # noqa: PLC0415 - keeps `summitry --help` fast

        click.echo(redacted(f"summitry: {error}"), err=True)
        sys.exit(1 if error.reason.startswith("unknown_") else 2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="summitry", prog_name="summitry")
def cli() -> None:
    r"""Get one alert, within seconds, when news feeds report a contact between two leaders.

    \b
    summitry up                          run the whole service here, with alerts on the console
    summitry detect --explain < a.jsonl  show what detection finds in articles, and why
    summitry replay < archive.jsonl      turn an archive of articles into events
    summitry feeds check URL             fetch a feed once and explain the result

    Each command has examples: summitry COMMAND --help. Shell completion: docs/operations.md.
    """


_as_written(cli)


def main() -> None:
    """Run the `summitry` command."""
    # A command reports a missing broker in one line; aiokafka would log another line for each attempt.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with _one_line_errors():
        cli()

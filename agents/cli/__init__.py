"""The `summitry` command. Each command group is a module of this package, imported only when it is called."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from monitor import __version__
from monitor.errors import SummitryError

#: Command name -> "module:attribute" of its click command, and what `summitry --help` says of it, in that order. The
#: short help stands here so that no command is imported to list them all.
COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("agents.cli.operate.service:up", "Run the whole service on this machine until Ctrl-C."),
    "poller": ("agents.cli.operate.service:poller", "Run one poller: feeds to articles."),
    "worker": ("agents.cli.operate.service:worker", "Run one worker: detection, assembly, notification."),
    "topics": ("agents.cli.operate.topics:topics", "Make and list the Kafka topics that the service uses."),
    "detect": ("agents.cli.news.detect:detect", "Find the contacts between leaders that articles speak of."),
    "replay": ("agents.cli.news.replay:replay", "Run articles through detection and assembly; print events."),
    "backtest": (
        "agents.cli.alerts.backtest:backtest",
        "What a configuration would have told over an archive of articles.",
    ),
    "events": ("agents.cli.news.events:events", "Print the events on the broker, or follow them."),
    "board": ("agents.cli.operate.board:board", "Serve the board: look at events, search and subscribe."),
    "export": ("agents.cli.news.export:export", "Write events as a calendar, feed, table or event coding."),
    "feeds": ("agents.cli.news.feeds:feeds", "Check, find, list and exchange feeds."),
    "watchlist": ("agents.cli.news.watchlist:watchlist", "Who is tracked: leaders, their offices and names."),
    "config": ("agents.cli.operate.config:config", "Check the configuration, or show it with all defaults."),
    "receivers": ("agents.cli.alerts.receivers:receivers", "List the receivers, or send one of them a test message."),
    "deliveries": (
        "agents.cli.alerts.deliveries:deliveries",
        "List what was told to whom; send again what was given up.",
    ),
    "feedback": ("agents.cli.alerts.feedback:feedback", "What readers said of events; export it as labelled items."),
    "silence": ("agents.cli.alerts.silence:silence", "Keep events from being told for a while."),
    "doctor": ("agents.cli.operate.doctor:doctor", "Look at everything the service needs, and say what is wrong."),
    "dead-letters": ("agents.cli.operate.dead_letters:dead_letters", "What could not be handled: list, show, replay."),
}


def _as_written(command: click.Command) -> click.Command:
    """Give click its mark for paragraphs that are not to be wrapped: in our raw docstrings it is two characters."""
    command.help = (command.help or "").replace("\\b\n", "\b\n")
    if isinstance(command, click.Group) and not isinstance(command, _LazyGroup):
        for inner in command.commands.values():
            _as_written(inner)
    return command


class _LazyGroup(click.Group):
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
    """An error of the project is one line on standard error; a closed pipe ends quietly.

    Exit code 1 says that what was asked for is not there (an unknown id or name), 2 that something is wrong.
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
@click.version_option(__version__, prog_name="summitry")
def cli() -> None:
    r"""Say, once and within seconds, when two leaders you track talk to each other.

    \b
    summitry up                          the whole service on this machine, alerts on the console
    summitry detect --explain < a.jsonl  what an article says, and why
    summitry replay < archive.jsonl      a whole archive through detection and assembly
    summitry feeds check URL             fetch one feed once and explain what came back
    """


_as_written(cli)


def main() -> None:
    """Entry point of the `summitry` command."""
    # Commands that set up no logging tell of a broker's absence in one line; aiokafka would add one for each attempt.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with _one_line_errors():
        cli()

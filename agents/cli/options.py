"""The options that several commands have, and how their values are parsed. It must be fast to import."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from monitor.records import utc

#: `--config FILE`, as the parameter `config_file`.
config_option = click.option(
    "--config",
    "config_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The configuration, a YAML file; without it, the defaults.",
)
#: `--broker URL`, as the parameter `broker`.
broker_option = click.option(
    "--broker", metavar="URL", help="The broker, instead of the configured one: kafka://HOST:9092."
)

#: `--with NAME`, repeatable, as the parameter `leaders`: the participants of events.
with_option = click.option(
    "--with",
    "--leader",
    "leaders",
    multiple=True,
    metavar="NAME",
    help="Only events with this leader (id, surname or alias) or state; of several, as in putin,xi, with all of them.",
)
#: `--country NAME`, repeatable, as the parameter `countries`.
country_option = click.option(
    "--country",
    "countries",
    multiple=True,
    metavar="NAME",
    help="Only events with this state or body: Russia, RU, NATO. Repeatable.",
)


def split_names(given: Iterable[str]) -> list[str]:
    """Return the names of an option that is repeated or has several names separated by commas: `putin,xi`."""
    return [name.strip() for each in given for name in each.split(",") if name.strip()]


#: `--watchlist FILE`, as the parameter `watchlist`.
watchlist_option = click.option(
    "--watchlist", metavar="FILE", type=click.Path(), help="A watchlist of leaders; without it, the bundled roster."
)


def _length(text: str) -> timedelta:
    """Read a duration. The configuration is imported for it alone, and most commands have no such option."""
    from monitor.config.durations import parse_duration  # noqa: PLC0415  # see above

    return parse_duration(text)


class _Duration(click.ParamType):
    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401
        try:
            return value if isinstance(value, timedelta) else _length(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


#: The type of an option with a duration: `30m`, `12h`, `7d`, `1h30m`.
DURATION = _Duration()

#: `--format table|json` for commands that print records, as the parameter `form`.
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table for people, or one JSON object a line.",
)


def parse_moment(text: str, now: datetime, option: str = "--since") -> datetime:
    """Read a point in time: a date, an RFC 3339 time, or a duration before `now` (`90m`, `12h`, `7d`, `2w`).

    Raises click.BadParameter for any other text.
    """
    text = text.strip()
    try:
        return utc(datetime.fromisoformat(text)) if re.match(r"\d{4}-", text) else now - _length(text)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is not a time; write 2026-02-04, 2026-02-04T08:00Z, or 12h for 12 hours ago", param_hint=option
        ) from None

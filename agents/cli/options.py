"""The options that commands share, and how their values are read. Imports nothing that is slow to import."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from monitor.config.durations import parse_duration
from monitor.records import utc

#: `--config FILE`, as the parameter `config_file`.
config_option = click.option(
    "--config", "config_file", metavar="FILE", type=click.Path(path_type=Path), help="The YAML configuration."
)
#: `--broker URL`, as the parameter `broker`.
broker_option = click.option(
    "--broker", metavar="URL", help="The broker instead of the configuration's: kafka://host:9092"
)


#: `--watchlist FILE`, as the parameter `watchlist`.
watchlist_option = click.option(
    "--watchlist", metavar="FILE", type=click.Path(), help="The leaders to track; the bundled roster if left out."
)


class _Duration(click.ParamType):
    name = "length"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:  # noqa: ANN401
        try:
            return value if isinstance(value, timedelta) else parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


#: A length of time as an option's type: `30m`, `12h`, `7d`, `1h30m`.
DURATION = _Duration()

#: `--format table|json` for whatever prints records, as the parameter `form`.
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people, or one JSON object a line.",
)


def parse_moment(text: str, now: datetime, option: str = "--since") -> datetime:
    """Return a point in time: a date, an RFC 3339 time, or how long ago (`90m`, `12h`, `7d`, `2w`).

    Raises click.BadParameter for anything else.
    """
    text = text.strip()
    try:
        return utc(datetime.fromisoformat(text)) if re.match(r"\d{4}-", text) else now - parse_duration(text)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is no time; write 2026-02-04, 2026-02-04T08:00Z or an age as 12h", param_hint=option
        ) from None

"""Replace names by ids in a configuration: routes and silences may say `putin`, `普京`, `Russia` or `UK`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from msgspec.structs import replace

from monitor.config import Config, Match
from monitor.errors import ConfigError
from monitor.watchlist import Watchlist
from monitor.watchlist.selection import UnknownNameError, name_index


def with_ids(config: Config, watchlist: Watchlist, day: date, source: str = "configuration") -> Config:
    """Return the configuration with the ids of leaders and the codes of countries in place of their names.

    A surname of several leaders means the one in office on `day`. Raises ConfigError, which names the key, for a name
    that is unknown or ambiguous.
    """

    def match(found: Match | None, where: str) -> Match | None:
        return None if found is None else match_with_ids(found, watchlist, day, source, where)

    routes = []
    for number, route in enumerate(config.routes):
        where = f"routes[{number}]"
        quiet = route.quiet_hours
        if quiet is not None:
            quiet = replace(quiet, bypass=match(quiet.bypass, f"{where}.quiet_hours.bypass"))
        changed = replace(
            route,
            match=match(route.match, f"{where}.match") or Match(),
            exclude=match(route.exclude, f"{where}.exclude"),
            quiet_hours=quiet,
        )
        routes.append(changed)
    silences = tuple(
        replace(silence, match=match_with_ids(silence.match, watchlist, day, source, f"silences[{number}].match"))
        for number, silence in enumerate(config.silences)
    )
    return replace(config, routes=tuple(routes), silences=silences)


def match_with_ids(match: Match, watchlist: Watchlist, day: date, source: str, where: str = "") -> Match:
    """Return one `Match` section with ids and codes in place of names. Raises ConfigError."""
    index = name_index(watchlist)

    def leader(name: str) -> str:
        return index.leader(name, day)

    def pair(text: str) -> str:
        return "+".join(index.leader(name, day) for name in text.split("+"))

    def each(values: tuple[str, ...], key: str, read: Callable[[str], str]) -> tuple[str, ...]:
        found = []
        for value in values:
            try:
                found.append(read(value))
            except UnknownNameError as error:
                raise ConfigError(source, f"{where}.{key}".strip("."), str(error)) from error
        return tuple(found)

    if not (match.leaders or match.pairs or match.countries):
        return match
    return replace(
        match,
        leaders=each(match.leaders, "leaders", leader),
        pairs=each(match.pairs, "pairs", pair),
        countries=each(match.countries, "countries", index.country),
    )

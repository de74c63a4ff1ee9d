"""`summitry watchlist`: show the tracked leaders with offices and names, and check a watchlist file."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import click
import msgspec

from agents.cli.command_group import CommandGroup
from agents.cli.options import format_option
from monitor.errors import ConfigError
from monitor.watchlist import Leader, Watchlist, bundled, load
from monitor.watchlist.check import known_up_to, warnings
from monitor.watchlist.selection import name_index

_FILE = click.argument("file", required=False, type=click.Path(path_type=Path))


@click.group(cls=CommandGroup)
def watchlist() -> None:
    r"""Show or check the tracked leaders, their offices by date, and their names.

    Without FILE the commands use the bundled roster: heads of state and government since 2000, and the heads of the EU,
    NATO, the UN, the African Union and ten more bodies.

    \b
    A file of your own:
      include: [bundled]            # on top of the bundled roster; leave out to track only your own;
                                    # [bundled, foreign-ministers] adds the G20's foreign ministers
      leaders:
        - name: Mikhail Gorbachev
          aliases: {en: [Gorbachev, Gorbachov]}
          offices:
            - {title: General Secretary of the Communist Party, country: SU, from: 1985-03-11, to: 1991-08-24}
      watch:                        # only contacts with these; leave out for all leaders
        pairs: [[vladimir-putin, xi-jinping]]
        countries: [UA]
    """


@watchlist.command(short_help="Check a watchlist and print warnings.")
@_FILE
def check(file: Path | None) -> None:
    r"""Check a watchlist FILE (or the bundled roster), and print warnings.

    The exit code is 2, with one line (file, key, problem, fix), when the file can't be used. Warnings do not change it.

    \b
    summitry watchlist check my-leaders.yaml
    """
    people = _read(file)
    today = _today()
    offices = [office for leader in people.leaders.values() for office in leader.offices]
    serving = people.serving(today)
    states = {office.country for one in serving for office in people.offices_on(one, today)}
    languages = Counter(alias.language for leader in people.leaders.values() for alias in leader.aliases)
    odd = warnings(people, today)
    for line in odd:
        click.echo(f"warning: {line}")
    click.echo(f"{file or 'bundled roster'}: ok, {_many(len(odd), 'warning')}")
    click.echo(f"  {_many(len(people.leaders), 'leader')}, {_many(len(offices), 'office')}, since {_since(people)}")
    click.echo(f"  offices known up to {known_up_to(people, today) or 'no day'}")
    click.echo(f"  {len(serving)} in office on {today}, of {_many(len(states), 'state')} and bodies")
    click.echo("  names: " + ", ".join(f"{language} {count}" for language, count in languages.most_common()))
    if people.watch:
        click.echo(
            f"  watch: {_many(len(people.watch.leaders), 'leader')}, {_many(len(people.watch.pairs), 'pair')}, "
            f"{len(people.watch.countries)} countries"
        )


@watchlist.command(short_help="List who is in office, or show one leader.")
@_FILE
@click.option("--on", "day", metavar="DATE", help="The day (YYYY-MM-DD). Default: today.")
@click.option("--country", metavar="NAME", help="Only this state or body, by name or code: Russia, RU, NATO.")
@click.option("--with", "--leader", "named", metavar="NAME", help="One leader, by id, surname or alias, or a state.")
@format_option
def show(file: Path | None, day: str | None, country: str | None, named: str | None, form: str) -> None:
    r"""List who is in office on a day, or show one leader with all offices and names.

    \b
    summitry watchlist show --country France --on 2003-06-01
    summitry watchlist show --with xi
    summitry watchlist show --format json my-leaders.yaml
    """
    people = _read(file)
    when = _day(day)
    if named is not None and not name_index(people).select(named).leaders:
        named, country = None, named
    if country is not None:
        country = name_index(people).country(country)
    if named is not None:
        leader = people.leaders[name_index(people).leader(named, when)]
        click.echo(json.dumps(msgspec.to_builtins(leader), ensure_ascii=False) if form == "json" else _portrait(leader))
        return
    rows = [
        {
            "country": office.country,
            "leader": leader.id,
            "name": leader.name,
            "title": f"{office.title} (acting)" if office.acting and form == "table" else office.title,
            "role": office.role,
            "acting": office.acting,
            "from": office.from_.isoformat() if office.from_ else None,
            "to": office.to.isoformat() if office.to else None,
        }
        for leader in people.leaders.values()
        for office in leader.offices
        if office.covers(when) and country in {None, office.country}
    ]
    rows.sort(key=lambda row: (str(row["country"]), str(row["from"])))
    if form == "json":
        for row in rows:
            click.echo(json.dumps(row, ensure_ascii=False))
        return
    if not rows:
        click.echo(f"nobody of this watchlist is in office on {when}" + (f" in {country}" if country else ""))
        return
    columns = ("country", "leader", "title", "from", "to")
    widths = {name: max(len(name), *(len(str(row[name] or "")) for row in rows)) for name in columns}
    click.echo("  ".join(name.ljust(widths[name]) for name in columns).rstrip())
    for row in rows:
        click.echo("  ".join(str(row[name] or "").ljust(widths[name]) for name in columns).rstrip())


def _read(file: Path | None) -> Watchlist:
    return bundled() if file is None else load(file)


def _today() -> date:
    return datetime.now(UTC).date()


def _day(text: str | None) -> date:
    if text is None:
        return _today()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigError("--on", "", f"`{text}` is not a date", "write it like 2004-06-01") from None


def _since(people: Watchlist) -> str:
    days = [office.from_ for leader in people.leaders.values() for office in leader.offices if office.from_]
    return str(min(days).year) if days else "ever"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _portrait(leader: Leader) -> str:
    lines = [f"{leader.id}: {leader.name}" + (f" ({leader.wikidata})" if leader.wikidata else "")]
    for office in leader.offices:
        span = f"{office.from_ or '...'} to {office.to or 'today'}"
        lines.append(
            f"  {span:24}  {office.title}, {office.country} ({office.role}{', acting' if office.acting else ''})"
        )
    by_language: dict[str, list[str]] = {}
    for alias in leader.aliases:
        text = alias.text if alias.strength != "weak" else f"{alias.text} (weak)"
        by_language.setdefault(alias.language, []).append(text)
    lines += [f"  {language}: {', '.join(texts)}" for language, texts in by_language.items()]
    return "\n".join(lines)

"""The texts of alerts in one language: the bundled catalogue, with single texts replaced by the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
import yaml

from monitor.config import Config
from monitor.errors import DataFileError
from monitor.records import EventStatus, Kind, Medium
from monitor.yaml_text import read_data_file

_DATA = Path(__file__).parents[1] / "data"
#: The placeholders (`$name`) that texts may contain, and those that plain.txt may contain.
_FILLED = {
    "at", "by", "city", "count", "grounds", "kind", "length", "medium", "name", "names", "new", "old", "route", "sides",
    "state", "title", "value",
}  # fmt: skip
_PLAIN = {"title", "changed", "facts", "brief", "links", "sources", "why", "acknowledged", "acknowledge"}

#: A text by the plural category of a number.
Counted: TypeAlias = dict[str, str]
News: TypeAlias = Literal["status", "time", "place", "medium", "participants", "official", "second"]


class ChangeLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts for a value that was unknown before (`first`), that has changed, and that is not known any more."""

    first: str
    changed: str
    gone: str = ""


Page: TypeAlias = Literal[
    "seen", "mark", "name", "seen_by", "stopped", "wrong", "other", "article", "what", "say", "silenced", "thanks",
    "noted", "invalid", "expired", "unreadable", "busy",
]  # fmt: skip


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All texts of alerts in one language. data/languages/en.yaml explains each of them."""

    locale: str
    prefix: dict[Literal["quiet", "merged", "reminder"], str]
    news: dict[News, ChangeLine]
    change: ChangeLine
    changed: dict[str, str]
    status: dict[EventStatus, str]
    medium: dict[Medium, str]
    kind: dict[Kind, str]
    form: str
    place: str
    person: str
    facts: tuple[Literal["who", "how", "when", "where", "forum", "status"], ...]
    label: dict[str, str]
    publishers: Counted
    reports: Counted
    official: str
    unofficial: str
    confirmed: str
    why: str
    grounds: dict[Literal["official", "confidence", "single"], str]
    gathered: dict[Literal["digest", "quiet", "storm"], str]
    more: Counted
    acknowledged: str
    acknowledge: str
    board: str
    wrong: str
    not_this_event: str
    answered: dict[str, str]
    silent: str
    back: str
    silent_for: str
    pages: dict[Page, str]
    #: The text between a label and its value.
    colon: str = ": "
    #: The layout of plain texts, from plain.txt.
    plain: str = ""
    zone_name: str = "UTC"

    @property
    def language(self) -> str:
        """The code of the language, such as `en`."""
        return self.locale.partition("_")[0]

    @property
    def zone(self) -> tzinfo:
        """The reader's time zone."""
        return ZoneInfo(self.zone_name)


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that alerts can be written in."""
    return tuple(sorted(file.stem for file in (_DATA / "languages").glob("*.yaml")))


@cache
def wording(folder: Path | None = None, language: str = "en", zone: str = "UTC") -> Wording:
    """Return the texts of a language; those in `folder`/wording.yaml and `folder`/plain.txt replace bundled ones.

    Raises DataFileError when there is no such language, a key is unknown, a value is not text, or a text has an unknown
    placeholder.
    """
    file = f"{language}.yaml"
    if language not in languages():
        raise DataFileError(file, "", f"no such language; known: {', '.join(languages())}")
    values = read_data_file(_DATA / "languages" / file, dict[str, Any])
    own = folder / "wording.yaml" if folder else None
    if own is not None and own.is_file():
        file = str(own)
        values = _merged(values, _read(own.read_text("utf-8"), file))
    try:
        words = msgspec.convert(values, Wording, strict=False)
    except msgspec.ValidationError as error:
        raise DataFileError(file, "", str(error)) from error
    for text in _texts(msgspec.to_builtins(words)):
        _check_template(text, _FILLED, file)
    own_plain = folder / "plain.txt" if folder else None
    custom = own_plain is not None and own_plain.is_file()
    layout = own_plain.read_text("utf-8") if own_plain and custom else (_DATA / "plain.txt").read_text("utf-8")
    _check_template(layout, _PLAIN, str(own_plain) if custom else "plain.txt")
    return msgspec.structs.replace(words, plain=layout, zone_name=zone)


def words_of(config: Config) -> dict[str, Wording]:
    """Return the texts for each receiver of a configuration. Raises DataFileError when a file is not valid."""
    folder = config.alerts.templates
    return {name: wording(folder, receiver.language, receiver.zone) for name, receiver in config.receivers.items()}


def fill(text: str, **values: object) -> str:
    """Return the text with its `$name` placeholders filled in."""
    return Template(text).safe_substitute({name: str(value) for name, value in values.items()})


def _read(text: str, file: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataFileError(file, "", f"not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise DataFileError(file, "", "not a mapping of texts")
    return values


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        inner = merged.get(key)
        merged[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


def _texts(values: object) -> list[str]:
    if isinstance(values, Mapping):
        return [text for value in values.values() for text in _texts(value)]
    return [values] if isinstance(values, str) else []


def _check_template(text: str, known: set[str], file: str) -> None:
    template = Template(text)
    if not template.is_valid():
        raise DataFileError(file, text[:60], "has a $ without a name; write $$ for a dollar sign")
    unknown = set(template.get_identifiers()) - known
    if unknown:
        raise DataFileError(file, text[:60], f"unknown placeholder ${min(unknown)}; known: {', '.join(sorted(known))}")

"""The words of alerts in one language: its catalogue, with the user's own laid over it key by key, and plain.txt."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from functools import cache
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
import yaml

from monitor.config import Config
from monitor.errors import DataFileError
from monitor.records import EventStatus, Kind, Medium

_DATA = resources.files("monitor.notify") / "data"
#: Everything that a text may have filled in, and what the layout of plain texts may.
_FILLED = {
    "at", "by", "city", "count", "grounds", "kind", "length", "medium", "name", "names", "new", "old", "route", "sides",
    "state", "title", "value",
}  # fmt: skip
_PLAIN = {"title", "changed", "facts", "brief", "links", "sources", "why", "acknowledged", "acknowledge"}

#: A text by the plural category of a number.
Counted: TypeAlias = dict[str, str]
News: TypeAlias = Literal["status", "time", "place", "medium", "participants", "official", "second"]


class ChangeLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Texts for a value that was not known before, that was another before, and that is not known any more."""

    first: str
    changed: str
    gone: str = ""


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every text of an alert; data/languages/en.yaml says what each of them is. `zone` is the reader's."""

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
    silent: str
    back: str
    silent_for: str
    #: The layout of plain texts, from plain.txt.
    plain: str = ""
    zone_name: str = "UTC"

    @property
    def language(self) -> str:
        """Return the language's code."""
        return self.locale.partition("_")[0]

    @property
    def zone(self) -> tzinfo:
        """Return the reader's time zone."""
        return ZoneInfo(self.zone_name)


def languages() -> tuple[str, ...]:
    """Return the codes of the languages that alerts can be written in."""
    return tuple(sorted(file.name.removesuffix(".yaml") for file in (_DATA / "languages").iterdir()))


@cache
def wording(folder: Path | None = None, language: str = "en", zone: str = "UTC") -> Wording:
    """Return the words of a language with those of `folder`/wording.yaml laid over them, and `folder`/plain.txt.

    Raises DataFileError when there is no such language, a key is unknown, a value is not text, or a text names
    something that can't be filled in.
    """
    file = f"{language}.yaml"
    if language not in languages():
        raise DataFileError(file, "", f"no such language; known: {', '.join(languages())}")
    values = _read((_DATA / "languages" / file).read_text("utf-8"), file)
    own = folder / "wording.yaml" if folder else None
    if own is not None and own.is_file():
        file = str(own)
        values = _merged(values, _read(own.read_text("utf-8"), file))
    try:
        words = msgspec.convert(values, Wording)
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
    """Return the words of each receiver of a configuration. Raises DataFileError as `wording` does."""
    folder = config.alerts.templates
    return {name: wording(folder, receiver.language, receiver.zone) for name, receiver in config.receivers.items()}


def fill(text: str, **values: object) -> str:
    """Return the text with its `$names` filled in."""
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
        raise DataFileError(file, text[:60], "has a $ that names nothing; write $$ for a dollar sign")
    unknown = set(template.get_identifiers()) - known
    if unknown:
        raise DataFileError(file, text[:60], f"nothing fills ${min(unknown)}; known: {', '.join(sorted(known))}")

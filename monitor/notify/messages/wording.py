"""The words of alerts: data/wording.yaml with the user's own laid over it key by key, and the template plain.txt."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from string import Template
from typing import Literal

import msgspec
import yaml

from monitor.errors import DataFileError
from monitor.records import EventStatus, Kind, Medium


class Wording(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"conjunction": "and"}):
    """Every text of an alert; see data/wording.yaml and data/plain.txt for what each of them is."""

    article: str
    what: dict[Kind, dict[str, str]]
    headline: dict[EventStatus, str]
    visit: dict[EventStatus, str]
    prefix: dict[str, str]
    status: dict[EventStatus, str]
    medium: dict[Medium, str]
    kind: dict[Kind, str]
    label: dict[str, str]
    changed: dict[str, str]
    none: str
    conjunction: str
    others: str
    acknowledged: str
    acknowledge: str
    digest: str
    silent: str
    back: str
    silent_for: str
    facts: tuple[Literal["who", "how", "when", "where", "forum", "status"], ...]
    #: The template of plain texts, from plain.txt.
    plain: str = ""


def _read(text: str, file: str) -> dict[str, object]:
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise DataFileError(file, "", f"not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise DataFileError(file, "", "not a mapping of texts")
    return values


@cache
def wording(folder: Path | None = None) -> Wording:
    """The bundled words with those of `folder`/wording.yaml laid over them, and `folder`/plain.txt where there is one.

    Raises DataFileError when a key is unknown, a value is not text, or a text names something that can't be filled in.
    """
    data = resources.files("monitor.notify") / "data"
    values = _read((data / "wording.yaml").read_text("utf-8"), "wording.yaml")
    file = "wording.yaml"
    own = folder / "wording.yaml" if folder else None
    if own is not None and own.is_file():
        file = str(own)
        for key, value in _read(own.read_text("utf-8"), file).items():
            base = values.get(key)
            values[key] = _merged(base, value) if isinstance(base, dict) and isinstance(value, dict) else value
    try:
        words = msgspec.convert(values, Wording)
    except msgspec.ValidationError as error:
        raise DataFileError(file, "", str(error)) from error
    _check(words, file)
    own_plain = folder / "plain.txt" if folder else None
    custom = own_plain is not None and own_plain.is_file()
    template = own_plain.read_text("utf-8") if own_plain and custom else (data / "plain.txt").read_text("utf-8")
    _check_template(template, _PLAIN, str(own_plain) if custom else "plain.txt")
    return msgspec.structs.replace(words, plain=template)


def _merged(base: Mapping[str, object], own: Mapping[str, object]) -> dict[str, object]:
    merged = dict(base)
    for key, value in own.items():
        inner = merged.get(key)
        merged[key] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged


_PLAIN = {"title", "changed", "facts", "brief", "links", "sources", "why", "acknowledged", "acknowledge"}
_FILLED = {"who", "what", "noun", "host", "guests", "count", "by", "length"}


def _check(words: Wording, file: str) -> None:
    texts = [*words.headline.values(), *words.visit.values(), words.others, words.acknowledged]
    for text in (*texts, words.digest, words.silent_for):
        _check_template(text, _FILLED, file)


def _check_template(text: str, known: set[str], file: str) -> None:
    template = Template(text)
    if not template.is_valid():
        raise DataFileError(file, text[:60], "has a $ that names nothing; write $$ for a dollar sign")
    unknown = set(template.get_identifiers()) - known
    if unknown:
        raise DataFileError(file, text[:60], f"nothing fills ${min(unknown)}; known: {', '.join(sorted(known))}")


def fill(text: str, **values: object) -> str:
    """The text with its `$names` filled in."""
    return Template(text).safe_substitute({name: str(value) for name, value in values.items()})

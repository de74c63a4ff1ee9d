# ruff: noqa: ANN401 - a value of a YAML file can be of any type until it is built
"""Turn the plain values of a YAML file into the typed sections of `monitor.config.sections`.

The first mistake is raised as a ConfigError that says what was found, what was expected, and how to write it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect as types

from monitor.config.durations import duration_text, parse_duration
from monitor.config.secret import Secret
from monitor.config.source import ConfigTree, KeyPath, NumberOrText, did_you_mean

_MAX_SECRET_BYTES = 64 * 1024


class SectionBuilder:
    """Turns plain values into sections.

    `env` has the variables that `{env: NAME}` secrets name. Relative paths are relative to `folder`.
    """

    def __init__(self, tree: ConfigTree, env: Mapping[str, str], folder: Path) -> None:
        self._tree, self._env, self._folder = tree, env, folder

    def build(self, expected: types.Type, value: Any, path: KeyPath, example: str = "") -> Any:
        """Return the value converted to the expected type. Raises ConfigError when it does not fit."""
        match expected:
            case types.Metadata():
                examples = (expected.extra_json_schema or {}).get("examples") or [example]
                return self.build(expected.type, value, path, str(examples[0]))
            case types.UnionType():
                return self._union(expected, value, path, example)
            case types.StructType():
                return self._section(expected, value, path)
            case types.DictType():
                given = self._mapping(value, path)
                return {key: self.build(expected.value_type, item, (*path, key)) for key, item in given.items()}
            case types.VarTupleType():
                if not isinstance(value, list):
                    inner = _show(value) if not isinstance(value, dict) else "..."
                    raise self._wrong(path, value, "a list", f"[{inner}]")
                return tuple(self.build(expected.item_type, item, (*path, n)) for n, item in enumerate(value))
            case types.CustomType():
                return self._secret(value, path) if expected.cls is Secret else self._path(value, path)
            case types.TimeDeltaType():
                return self._duration(value, path, example)
        return self._scalar(expected, value, path, example)

    def _wrong(self, path: KeyPath, value: Any, wanted: str, example: str) -> Exception:
        fix = f"write {wanted}" + (f", e.g. {example}" if example else "")
        return self._tree.error(path, f"expected {wanted}, found {_found(value)}", fix)

    def _mapping(self, value: Any, path: KeyPath) -> dict[str, Any]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._wrong(path, value, "keys with values", "")
        return value

    def _section(self, expected: types.StructType, value: Any, path: KeyPath) -> Any:
        given = dict(self._mapping(value, path))
        if expected.tag_field:
            given.pop(expected.tag_field, None)
        known = {field.encode_name: field for field in expected.fields}
        for key in given:
            if key not in known:
                raise self._tree.error((*path, key), f"unknown key '{key}'", did_you_mean(key, known))
        built = {}
        for name, field in known.items():
            if name in given:
                # `key:` without a value means the same as leaving the key out, unless null is allowed there.
                empty = given[name] is None and not _takes_null(field.type) and not field.required
                if not empty:
                    built[field.name] = self.build(field.type, given[name], (*path, name), _example(field))
            elif field.required:
                fix = f"add '{name}: {_example(field) or _sample(field.type)}'"
                raise self._tree.error((*path, name), "is required and missing", fix)
        return expected.cls(**built)

    def _union(self, expected: types.UnionType, value: Any, path: KeyPath, example: str) -> Any:
        kinds = [kind for kind in expected.types if not isinstance(kind, types.NoneType)]
        if value is None and len(kinds) < len(expected.types):
            return None
        tagged = {kind.tag: kind for kind in kinds if isinstance(kind, types.StructType) and kind.tag is not None}
        if len(kinds) == 1 or not tagged:
            return self.build(kinds[0], value, path, example)
        if not isinstance(value, dict):
            raise self._wrong(path, value, "keys with values", "{type: console}")
        tag = value.get("type")
        if tag is None:
            raise self._tree.error((*path, "type"), "is required and missing", f"one of {', '.join(map(str, tagged))}")
        if tag not in tagged:
            hint = did_you_mean(str(tag), [str(name) for name in tagged])
            raise self._tree.error((*path, "type"), f"there is no {_found(tag)}", hint)
        return self._section(tagged[tag], value, path)

    def _secret(self, value: Any, path: KeyPath) -> Secret:
        if isinstance(value, NumberOrText):
            return Secret(value.text)
        if isinstance(value, str) and value.strip():
            return Secret(value)
        if not isinstance(value, dict) or set(value) not in ({"file"}, {"env"}):
            # The value may be the secret itself, so the message does not repeat it.
            raise self._tree.error(path, "not a secret", "write {file: PATH} or {env: NAME}")
        if "env" in value:
            name = str(value["env"])
            text = self._env.get(name, "")
            if not text:
                raise self._tree.error((*path, "env"), f"the environment has no {name}", f"set it: export {name}=...")
            return Secret(text, f"{{env: {name}}}")
        file = self._path(value["file"], (*path, "file"))
        try:
            with file.open("rb") as opened:
                text = opened.read(_MAX_SECRET_BYTES).decode().strip()
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8 text"
            raise self._tree.error((*path, "file"), f"{file} can't be read: {why}", "give a readable file") from error
        if not text:
            raise self._tree.error((*path, "file"), f"{file} is empty", "put the secret into it")
        return Secret(text, f"{{file: {file}}}")

    def _path(self, value: Any, path: KeyPath) -> Path:
        if not isinstance(value, str) or not value:
            raise self._wrong(path, value, "a path", "folder/file.yaml")
        return (self._folder / Path(value).expanduser()).resolve()

    def _duration(self, value: Any, path: KeyPath, example: str) -> timedelta:
        if isinstance(value, NumberOrText):
            value = value.number
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self._wrong(path, value, "a length of time", example or "90s, 5m, 2h or 7d")
        try:
            return parse_duration(str(value))
        except ValueError as error:
            problem, _, fix = str(error).partition(": ")
            raise self._tree.error(path, problem, fix or f"write e.g. {example or '5m'}") from error

    def _scalar(self, expected: types.Type, value: Any, path: KeyPath, example: str) -> Any:
        if isinstance(value, NumberOrText):
            value = value.text if isinstance(expected, types.StrType) else value.number
        match expected:
            case types.BoolType():
                if not isinstance(value, bool):
                    raise self._wrong(path, value, "true or false", example)
            case types.IntType():
                if not isinstance(value, int) or isinstance(value, bool):
                    raise self._wrong(path, value, "a whole number", example)
                self._bounds(expected, value, path)
            case types.FloatType():
                if not isinstance(value, int | float) or isinstance(value, bool):
                    raise self._wrong(path, value, "a number", example)
                self._bounds(expected, value, path)
                return float(value)
            case types.StrType():
                if not isinstance(value, str):
                    hint = f"'{_show(value)}'" if isinstance(value, int | float) else example
                    raise self._wrong(path, value, "text", hint)
                if expected.pattern and not re.search(expected.pattern, value):
                    raise self._tree.error(path, f"{_found(value)} has the wrong form", f"write it like {example}")
            case types.LiteralType():
                allowed = [str(choice) for choice in expected.values]
                if value not in expected.values:
                    raise self._tree.error(
                        path, f"there is no {_found(value)} here", did_you_mean(_show(value), allowed)
                    )
            case _:  # pragma: no cover - a section with a type that nothing here reads is a programming mistake
                raise TypeError(f"no reader for {expected}")
        return value

    def _bounds(self, expected: types.IntType | types.FloatType, value: float, path: KeyPath) -> None:
        low, high = expected.ge, expected.le
        if (low is not None and value < low) or (high is not None and value > high):
            span = f"from {low} to {high}" if high is not None else f"of {low} or more"
            raise self._tree.error(path, f"{value} is out of range", f"write a number {span}")


def _takes_null(expected: types.Type) -> bool:
    return isinstance(expected, types.UnionType) and any(isinstance(kind, types.NoneType) for kind in expected.types)


def _show(value: Any) -> str:
    text = value.text if isinstance(value, NumberOrText) else str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _found(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case NumberOrText() | int() | float():
            return f"the number {_show(value)}"
        case str():
            return f"'{_show(value)}'"
        case list():
            return "a list"
        case _:
            return "keys with values"


def _example(field: types.Field) -> str:
    """Return the field's default as a user would write it, as an example for messages."""
    default = field.default
    match default:
        case bool():
            return str(default).lower()
        case timedelta():
            return duration_text(default)
        case int() | float() | str() if default != "":
            return str(default)
    if isinstance(field.type, types.Metadata):
        examples = (field.type.extra_json_schema or {}).get("examples")
        return str(examples[0]) if examples else ""
    return ""


def _sample(expected: types.Type) -> str:
    match expected:
        case types.VarTupleType():
            return "[...]"
        case types.CustomType() if expected.cls is Secret:
            return "{env: NAME}"
    return "..."


def plain(value: Any) -> Any:
    """Return a built value in the form in which the file has it, with secrets masked."""
    match value:
        case msgspec.Struct():
            config = value.__struct_config__
            tag = {config.tag_field: config.tag} if config.tag_field and config.tag else {}
            return {**tag, **{name: plain(getattr(value, name)) for name in value.__struct_fields__}}
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case tuple() | list():
            return [plain(item) for item in value]
        case timedelta():
            return duration_text(value)
        case Secret() | Path():
            return str(value)
    return value

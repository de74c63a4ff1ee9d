"""Reads YAML files as typed records, and reports each mistake in one clear line.

Scalars are read as plain text, without YAML's guessing (`NO` is Norway, not false). This also makes reading a roster of
a thousand leaders fast. `day` reads dates.
"""

from __future__ import annotations

import calendar
import difflib
import re
from datetime import date
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

import msgspec
import yaml

from monitor.errors import ConfigError
from monitor.yaml_text import parse_data_file

T = TypeVar("T")

_OPEN_ENDS = frozenset({"", "~", "null", "now", "present", "today"})
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?(?:[T ].*)?")
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_CHOICE = re.compile(r"Invalid enum value '(.*)'")
_IN_WORDS = (
    ("Expected", "expected"),
    ("`object`", "a mapping"),
    ("`array`", "a list"),
    ("`str`", "text"),
    ("`null`", "nothing"),
)
_WHERE = re.compile(r" - at `(?:key in )?\$?(.*)`$")


def read_yaml(path: Path, kind: type[T]) -> T:
    """Return the file as `kind`, a msgspec struct or a container of structs.

    Raises ConfigError, with file and key, when the file can't be read, is not YAML, or does not match `kind`.
    """
    name = str(path)
    try:
        data = parse_data_file(path)
    except OSError as error:
        raise ConfigError(name, "", f"can't be read ({error.strerror or error})", "check the path") from error
    except (yaml.YAMLError, UnicodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise ConfigError(name, where, f"not valid YAML: {problem}", "mend the line") from error
    try:
        return msgspec.convert(data, kind, strict=False)
    except msgspec.ValidationError as error:
        raise _config_error(name, kind, data, str(error)) from None


def day(text: str | None, *, end: bool = False) -> date | None:
    """Return a day written as `2000-05-07`. A month or a year alone means its first day, or its last day with `end`.

    Returns None for an open end (nothing, `now`, `present`). Raises ValueError for anything else.
    """
    if text is None or text.strip().lower() in _OPEN_ENDS:
        return None
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"`{text}` is not a date; write it as 2000-05-07, 2000-05 or 2000")
    year = int(match[1])
    month = int(match[2] or (12 if end else 1))
    if not 1 <= month <= 12 or year < 1:
        raise ValueError(f"`{text}` is not a date: there is no such month")
    last = calendar.monthrange(year, month)[1]
    number = int(match[3] or (last if end else 1))
    if not 1 <= number <= last:
        raise ValueError(f"`{text}` is not a date: the month has {last} days")
    return date(year, month, number)


def did_you_mean(word: str, known: list[str], what: str = "keys") -> str:
    """Return a suggestion for an unknown word: the most similar known word, or all of them."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else f"{what} here: {', '.join(known)}"


def _config_error(file: str, kind: object, data: object, message: str) -> ConfigError:
    """Turn a msgspec validation message into an error in the words of the file's author."""
    where = _WHERE.search(message)
    path = where[1] if where else ""
    problem = message[: where.start()] if where else message
    key, names = _key_and_name(path, data)
    fix = ""
    if match := _UNKNOWN.fullmatch(problem):
        problem, fix = f"unknown key `{match[1]}`", did_you_mean(match[1], _keys(_type_at(kind, path)))
    elif match := _MISSING.fullmatch(problem):
        problem, fix = f"`{match[1]}` is missing", f"add `{match[1]}: ...`"
    elif match := _CHOICE.fullmatch(problem):
        choices = _choices(_type_at(kind, path))
        problem, fix = f"`{match[1]}` is none of the words allowed here", f"one of {', '.join(choices)}"
    else:
        for theirs, ours in _IN_WORDS:
            problem = problem.replace(theirs, ours)
    return ConfigError(file, key, problem + names, fix)


def _key_and_name(path: str, data: object) -> tuple[str, str]:
    """Return a msgspec path as a key (`leaders[3].offices[0]`), and the leader's name there: ` (in Xi Jinping)`."""
    names = ""
    here: Any = data
    for part in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", path):
        try:
            here = here[part[0]] if part[0] else here[int(part[1])]
        except (KeyError, IndexError, ValueError, TypeError):
            break
        if isinstance(here, dict) and not names:
            name = here.get("name") or here.get("id")
            names = f" (in {name})" if isinstance(name, str) and name else ""
    return path.lstrip("."), names


def _type_at(kind: object, path: str) -> Any:  # noqa: ANN401  # annotations are of any kind
    """Return the annotation of the value at `path` inside `kind`, without `None`."""
    here: Any = kind
    for part in re.findall(r"\.([^.\[\]]+)|\[[^\]]*\]", path):
        if part and isinstance(here, type) and issubclass(here, msgspec.Struct):
            names = dict(zip(here.__struct_encode_fields__, here.__struct_fields__, strict=True))
            here = get_type_hints(here).get(names.get(part, part))
        else:
            here = next((one for one in reversed(getattr(here, "__args__", ())) if one is not Ellipsis), None)
        members = getattr(here, "__args__", ())
        if isinstance(here, UnionType) or type(None) in members:
            # In `str | Entry | None`, only the entry has keys.
            members = [one for one in members if one is not type(None)]
            here = next(
                (one for one in members if isinstance(one, type) and issubclass(one, msgspec.Struct)), members[0]
            )
    return here


def _keys(kind: object) -> list[str]:
    """Return the keys of a struct; empty for any other type."""
    return list(kind.__struct_encode_fields__) if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else []


def _choices(kind: object) -> list[str]:
    """Return the values of a literal type; empty for any other type."""
    return [str(one) for one in get_args(kind) if one] if get_origin(kind) is Literal else []

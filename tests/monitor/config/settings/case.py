"""One row of the tables of settings: a key, two or more values, and the outcome expected of each."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from msgspec import inspect as types

from monitor.config import Broker, Config, Match, load_config

#: As a value: the key is left out.
OMITTED = object()


@dataclass(frozen=True)
class Case:
    """A key, and what is seen with each of its values.

    `key` is written with dots; `routes[]` is the first item of the list, `receivers.email` the receiver of that type.
    `outcome` takes the loaded configuration (and the running `server`, where one is named), and gives what is compared;
    it may be a coroutine. `given` are the other keys that must be set. `$url`, `$host` and `$port` in a value become
    the server's. A row that takes more than a second is `slow`.
    """

    key: str
    outcome: Callable[..., Any]
    seen: tuple[tuple[Any, Any], ...]
    given: Mapping[str, Any] = field(default_factory=dict)
    server: Callable[[], AbstractAsyncContextManager[Any]] | None = None
    slow: bool = False


def case(
    key: str,
    outcome: Callable[..., Any],
    *seen: tuple[Any, Any],
    given: Mapping[str, Any] | None = None,
    server: Callable[[], AbstractAsyncContextManager[Any]] | None = None,
    slow: bool = False,
) -> Case:
    """Make a row; `seen` are pairs of a value and the outcome that is expected."""
    return Case(key, outcome, seen, given or {}, server, slow)


def load(folder: Path, keys: Mapping[str, Any]) -> Config:
    """Load a configuration with these dotted keys, from a file in `folder`."""
    document: dict[str, Any] = {}
    for key, value in keys.items():
        if value is not OMITTED:
            _write(document, key, value)
    for name, receiver in document.get("receivers", {}).items():
        receiver.setdefault("type", name)
    document.setdefault("receivers", {}).setdefault("console", {"type": "console"})
    for number, route in enumerate(document.get("routes", [])):
        route.setdefault("name", f"route-{number}")
        route.setdefault("receivers", ["console"])
    file = folder / "summitry.yaml"
    file.write_text(yaml.safe_dump(document))
    return load_config(file, {})


def _write(document: dict[str, Any], key: str, value: object) -> None:
    *outer, last = (f"routes[].{key}" if key.startswith("match.") else key).split(".")
    for name in outer:
        found = document.setdefault(name.removesuffix("[]"), [{}] if name.endswith("[]") else {})
        document = found[0] if name.endswith("[]") else found
    document[last] = value


def observe(row: Case, value: object, folder: Path) -> Any:
    """Give the outcome with one value of the key."""
    keys = {**row.given, row.key: value}
    if row.server is None:
        found = row.outcome(load(folder, keys))
        return asyncio.run(found) if inspect.iscoroutine(found) else found
    return asyncio.run(_observe_served(row, keys, folder))


async def _observe_served(row: Case, keys: Mapping[str, Any], folder: Path) -> Any:
    assert row.server is not None
    async with row.server() as server:
        url = str(getattr(server, "url", ""))
        address = {"url": url, "host": url.rpartition("/")[2], "port": str(getattr(server, "port", ""))}
        return await row.outcome(load(folder, {key: _filled(value, address) for key, value in keys.items()}), server)


def _filled(value: Any, address: Mapping[str, str]) -> Any:
    match value:
        case "$port":
            return int(address["port"])
        case str():
            return value.replace("$url", address["url"]).replace("$host", address["host"])
        case list():
            return [_filled(item, address) for item in value]
    return value


def keys_of(expected: types.Type, path: str = "") -> Iterator[str]:
    """Every key below a type of the configuration, in the form of `Case.key`.

    A `Match` and a receiver's own `broker` are one key at each place that takes one: their inner keys are the same
    everywhere, and count once, as `match.KEY` and `broker.KEY`.
    """
    match expected:
        case types.Metadata():
            yield from keys_of(expected.type, path)
        case types.StructType() if expected.cls is Match or (expected.cls is Broker and path != "broker"):
            yield path
        case types.StructType():
            for each in expected.fields:
                yield from keys_of(each.type, f"{path}.{each.encode_name}".removeprefix("."))
        case types.UnionType():
            yield from _keys_of_union(expected, path)
        case types.DictType(value_type=types.UnionType() as inner):
            yield from keys_of(inner, path)
        case types.VarTupleType(item_type=types.StructType() as inner):
            yield from keys_of(inner, f"{path}[]")
        case _:
            yield path


def _keys_of_union(expected: types.UnionType, path: str) -> Iterator[str]:
    sections = [kind for kind in expected.types if isinstance(kind, types.StructType)]
    if any(section.tag for section in sections):
        for section in sections:
            yield from keys_of(section, f"{path}.{section.tag}")
        return
    found = {key for section in sections for key in keys_of(section, path)}
    # A section that may be left out is a setting of its own.
    yield path
    yield from sorted(found - {path})


def all_keys() -> set[str]:
    """Every key of the configuration."""
    inner = {f"match.{each}" for each in msgspec.structs.asdict(Match())}
    return {*keys_of(types.type_info(Config)), *inner}


def parameters(rows: tuple[Case, ...]) -> list[Any]:
    """The rows as parameters of a test, named by their keys."""
    return [pytest.param(row, id=row.key, marks=[pytest.mark.slow] if row.slow else []) for row in rows]

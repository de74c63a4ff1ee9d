"""A fast YAML parser for the data files that every process reads when it starts."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from monitor.errors import DataFileError

#: PyYAML has its parser in C and in Python. Its wheels contain the C one, but a build from source may not.
_Parser: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

#: The most levels of a document. Code that walks over the result is recursive, so the depth must be bounded.
MAX_DEPTH = 100
#: The most values of a document, aliases expanded: a few lines of nested aliases could expand to gigabytes.
MAX_VALUES = 5_000_000

T = TypeVar("T")

_KEY_NEXT = object()

_PACKAGE = Path(__file__).parent
#: Raise it when the same text is to give another value: what was kept before is parsed anew.
_FORM = b"1"
_DIGEST_SIZE = 16


class _Open:
    """A list or mapping whose end was not read yet: its anchor, its size, and the key that waits for a value."""

    __slots__ = ("anchor", "key", "size", "value")

    def __init__(self, value: list[Any] | dict[str, Any], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.size = 1
        self.key: Any = _KEY_NEXT

    def put(self, value: Any, size: int, event: Any) -> None:  # noqa: ANN401  # a value is of any shape
        """Add the next item, key or value. Raises yaml.YAMLError for a key that is not text or is given twice."""
        self.size += size
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is not _KEY_NEXT:
            self.value[self.key] = value
            self.key = _KEY_NEXT
        elif not isinstance(value, str):
            raise _problem("a key is no plain text", event)
        elif value in self.value:
            raise _problem(f"`{value}` is given twice", event)
        else:
            self.key = value


def parse_yaml(text: bytes | str) -> Any:  # noqa: ANN401  # a document is of any shape
    """Parse one YAML document into dicts, lists and strings; an empty document is None.

    Every scalar stays text: `NO` (Norway) is not turned into false, nor `on` into true. Callers convert numbers and
    booleans with `msgspec.convert(..., strict=False)`. It is fast because it builds no tree of nodes, in which
    `yaml.load` spends most of its time.

    Raises yaml.YAMLError with a `problem` and a `problem_mark` for text that is not YAML, a key given twice in one
    mapping, a second document, more than MAX_DEPTH levels, or more than MAX_VALUES values.
    """
    document = _Open([], None)
    stack = [document]
    anchors: dict[str, tuple[Any, int]] = {}
    events: Iterator[Any] = yaml.parse(text, Loader=_Parser)  # which attributes one has depends on its class
    for event in events:
        kind = type(event)
        if kind is yaml.ScalarEvent:
            if event.anchor is not None:
                anchors[event.anchor] = event.value, 1
            stack[-1].put(event.value, 1, event)
        elif kind is yaml.SequenceStartEvent or kind is yaml.MappingStartEvent:
            if len(stack) > MAX_DEPTH:
                raise _problem("nested too deeply", event)
            stack.append(_Open([] if kind is yaml.SequenceStartEvent else {}, event.anchor))
        elif kind is yaml.SequenceEndEvent or kind is yaml.MappingEndEvent:
            closed = stack.pop()
            if closed.anchor is not None:
                anchors[closed.anchor] = closed.value, closed.size
            stack[-1].put(closed.value, closed.size, event)
        elif kind is yaml.AliasEvent:
            if event.anchor not in anchors:
                raise _problem(f"`*{event.anchor}` stands for nothing that came before", event)
            stack[-1].put(*anchors[event.anchor], event)
        elif kind is yaml.DocumentStartEvent and document.size > 1:
            raise _problem("a second document begins", event)
        if stack[-1].size > MAX_VALUES:
            raise _problem("aliases unfold to more values than are read", event)
    return document.value[0] if document.value else None  # type: ignore[index]  # the document is a list


def parse_data_file(path: Path) -> Any:  # noqa: ANN401  # a document is of any shape
    """Parse a YAML file as `parse_yaml` does, and keep what a file of this package holds for the next process.

    Parsing takes most of the time of starting (0.4 s for all files), reading what was kept a tenth of that.

    Raises OSError when the file can't be read, and what `parse_yaml` raises.
    """
    text = path.read_bytes()
    return kept(path, [text], Any, lambda: parse_yaml(text))


def kept(path: Path, made_of: Iterable[bytes], type_: type[T], make: Callable[[], T]) -> T:
    """Return what `make` returns: a `type_` that depends on nothing but `made_of`, kept for the next process.

    It is kept in `__pycache__` beside `path`, as Python's own compiled modules are: whoever may write there may change
    the code itself. It holds the digest of what it was made of, so it is made anew when a file changes. Nothing is kept
    outside this package, where Python keeps nothing (PYTHONDONTWRITEBYTECODE), or where the folder is read-only.
    """
    if _PACKAGE not in path.parents:
        return make()
    hashed = hashlib.blake2b(_FORM, digest_size=_DIGEST_SIZE)
    for part in made_of:
        hashed.update(b"%d:" % len(part) + part)
    digest = hashed.digest()
    file = path.parent / "__pycache__" / f"{path.name}.parsed"
    with suppress(OSError, msgspec.DecodeError):
        content = file.read_bytes()
        if content.startswith(digest):
            return msgspec.msgpack.decode(memoryview(content)[_DIGEST_SIZE:], type=type_)
    value = make()
    if not sys.dont_write_bytecode:
        _keep(file, digest + msgspec.msgpack.encode(value))
    return value


def read_data_file(path: Path, type_: type[T]) -> T:
    """Read a data file as a `type_`. Numbers and booleans are made where the type asks for them.

    Raises DataFileError with file and place if the file is missing, is not YAML, or has other content.
    """
    try:
        return msgspec.convert(parse_data_file(path), type_, strict=False)
    except OSError as error:
        raise DataFileError(str(path), "", f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise DataFileError(str(path), "", f"is not YAML: {error}") from error
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at ")
        raise DataFileError(str(path), where.strip("`"), problem) from error


def _keep(path: Path, parsed: bytes) -> None:
    """Write a file as a whole or not at all, so that a process that reads it meanwhile sees no half of it."""
    own = path.with_name(f"{path.name}.{os.getpid()}")
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        own.write_bytes(parsed)
        own.replace(path)


def _problem(what: str, event: Any) -> yaml.MarkedYAMLError:  # noqa: ANN401  # the C parser has classes of its own
    return yaml.MarkedYAMLError(None, None, what, event.start_mark)

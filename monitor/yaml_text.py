"""YAML as mappings, lists and text, read quickly: for the data files that every process reads when it starts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

#: PyYAML has the same parser in C and in Python; the C one is there in every wheel, but not in every build.
_Parser: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

#: More levels than any data file has: what walks over the result calls itself for each level.
MAX_DEPTH = 100
#: Values in a document with each alias counted as all that it stands for: aliases of aliases unfold to gigabytes.
MAX_VALUES = 5_000_000

_KEY_NEXT = object()


class _Open:
    """A list or mapping whose end has not come yet: its anchor, its size, and the key that waits for a value."""

    __slots__ = ("anchor", "key", "size", "value")

    def __init__(self, value: list[Any] | dict[str, Any], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.size = 1
        self.key: Any = _KEY_NEXT

    def put(self, value: Any, size: int, event: Any) -> None:  # noqa: ANN401  # a value is of any shape
        """Add the next item, key or value. Raises yaml.YAMLError for a key that is no text or stands twice."""
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

    No scalar is guessed at: `NO` is Norway and `on` is a word, not false and true. `msgspec.convert(..., strict=False)`
    makes numbers and booleans where a type asks for them. Builds no tree of nodes first, in which `yaml.load` spends
    most of its time. Raises yaml.YAMLError with a `problem` and a `problem_mark` for text that is not YAML, a key that
    stands twice in a mapping, a second document, more than MAX_DEPTH levels, or more than MAX_VALUES values.
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


def _problem(what: str, event: Any) -> yaml.MarkedYAMLError:  # noqa: ANN401  # the C parser has classes of its own
    return yaml.MarkedYAMLError(None, None, what, event.start_mark)

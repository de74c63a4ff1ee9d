"""Cursors: text that marks the end of a page of a list; a program sends it back to get the next page.

A cursor holds the values by which the last entry was sorted, so entries that are added or removed do not shift pages.
"""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from monitor.archive.event_filters import SelectionError

T = TypeVar("T")


def cursor_of(*values: int | str) -> str:
    """Return the cursor of an entry with these values."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def read_cursor(text: str, form: type[T]) -> T:
    """Return a cursor's values, a tuple of the type `form`. Raises SelectionError if the text is not such a cursor."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=form)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise SelectionError("after", "is not a cursor; take it from the page before") from None

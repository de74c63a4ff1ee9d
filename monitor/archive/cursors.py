"""Cursors: where a page of a list ended, as a text that a program gives back to get the next one.

A cursor holds what the last entry was ordered by, so entries that come or go in between move nothing.
"""

from __future__ import annotations

import base64
import binascii
from typing import TypeVar

import msgspec

from monitor.archive.narrowing import SelectionError

T = TypeVar("T")


def cursor_of(*values: int | str) -> str:
    """Return the cursor of an entry with these values."""
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def read_cursor(text: str, form: type[T]) -> T:
    """Return a cursor's values, a tuple of the type `form`. Raises SelectionError for a text that is no such cursor."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=form)
    except (ValueError, binascii.Error, msgspec.MsgspecError):
        raise SelectionError("after", "is not a cursor; take it from the page before") from None

"""Texts that must never be printed or logged: tokens, passwords, signing keys, and webhook URLs that contain a key."""

from __future__ import annotations

import re

MASK = "********"

#: User and password of an address (RFC 3986, 3.2.1), up to the last `@` of its authority.
_LOGIN = re.compile(r"(?<=://)[^/?#\s]*@")


def redacted(text: str) -> str:
    """Return the text with the user and password of every address in it masked: `https://********@example.org/`."""
    return _LOGIN.sub(f"{MASK}@", text)


class Secret:
    """A secret text. Only `reveal()` returns it; `str()` and `repr()` show its origin or a mask.

    `origin` is `{env: NAME}` or `{file: PATH}`, or empty when the secret was written into the configuration itself.
    """

    __slots__ = ("_value", "origin")

    def __init__(self, value: str, origin: str = "") -> None:
        self._value = value
        self.origin = origin

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    def __repr__(self) -> str:
        return self.origin or MASK

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

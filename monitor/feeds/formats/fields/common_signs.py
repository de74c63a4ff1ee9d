"""Tell the encodings of non-Latin scripts apart by characters that are frequent in their languages.

In the right encoding many characters of a text are among the most frequent ones of its language.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "common_signs.yaml"
#: The least share of frequent characters among the non-ASCII ones for an encoding to be chosen.
_ENOUGH = 0.12
#: The share must be this many times that in the encoding which the document names.
_TIMES = 1.8
#: Encodings with two or more bytes a character. They are tried first: other text hardly ever decodes in them by chance.
_SEVERAL_BYTES = ("gb18030", "big5hkscs", "euc_jp", "cp932", "cp949")


class _Signs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    signs: str
    encodings: tuple[str, ...]


def encoding_by_signs(sample: bytes, named: str = "") -> str:
    """Return the encoding in which a text has the most frequent characters of a language, or "" for none.

    `sample` is the text without markup. `named` is the encoding that the document names, "" for none; another encoding
    is returned only when it fits far better.
    """
    several = {name: _share(sample, name) for name in _SEVERAL_BYTES}
    single = {name: _share(sample, name) for name in _table() if name not in several}
    known = {**several, **single}
    own = known[named] if named in known else _best_share(sample, named)
    for shares in (several, single):
        best = max(shares, key=lambda name: shares[name])
        if shares[best] >= _ENOUGH:
            return "" if best == named or shares[best] < _TIMES * own else best
        if own and named in several:
            return ""
    return ""


def _best_share(sample: bytes, name: str) -> float:
    """Return the share of frequent signs in an encoding that the table does not have, such as those of old Macs."""
    return max(_share(sample, name, signs) for signs in set(_table().values())) if name else 0.0


def _share(sample: bytes, name: str, signs: frozenset[str] | None = None) -> float:
    signs = _table()[name] if signs is None else signs
    text = sample.decode(name, "replace")
    others = [sign for sign in text if sign > "\x7f"]
    # The sample may be cut within a character, so one undecodable character, and one in a hundred more, is allowed.
    if not others or others.count("\ufffd") > 1 + len(others) // 100:
        return 0.0
    return sum(sign in signs for sign in others) / len(others)


@cache
def _table() -> dict[str, frozenset[str]]:
    rows = read_data_file(_FILE, list[_Signs])
    return {name: frozenset(row.signs) for row in rows for name in row.encodings}

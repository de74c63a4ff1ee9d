"""Tells encodings apart by the signs that are frequent in the languages that come in them."""

from __future__ import annotations

from functools import cache

import msgspec

from monitor.feeds.formats.fields.date_words import load_names

#: The share of a text's signs beyond ASCII that are frequent ones, from which on the encoding is believed.
_ENOUGH = 0.12
#: How many times as many there must be as in the encoding that the document names.
_TIMES = 1.8
#: Encodings of two and more bytes a sign: chance makes no text in them.
_SEVERAL_BYTES = ("gb18030", "big5hkscs", "euc_jp", "cp932", "cp949")


class _Signs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    signs: str
    encodings: tuple[str, ...]


def encoding_by_signs(sample: bytes, named: str = "") -> str:
    """Return the encoding in which a text has by far the most of its languages' frequent signs, "" for none.

    `sample` is the text without markup, `named` the encoding that the document names: another one must be far better.
    """
    several = {name: _share(sample, name) for name in _SEVERAL_BYTES}
    single = {name: _share(sample, name) for name in _table() if name not in several}
    own = {**several, **single}.get(named, 0.0)
    for shares in (several, single):
        best = max(shares, key=lambda name: shares[name])
        if shares[best] >= _ENOUGH:
            return "" if best == named or shares[best] < _TIMES * own else best
        if own and named in several:
            return ""
    return ""


def _share(sample: bytes, name: str) -> float:
    text = sample.decode(name, "replace")
    others = [sign for sign in text if sign > "\x7f"]
    # The sample may end in the middle of a sign; elsewhere a sign that can't be read is one too many.
    if not others or others.count("\ufffd") > 1 + len(others) // 100:
        return 0.0
    return sum(sign in _table()[name] for sign in others) / len(others)


@cache
def _table() -> dict[str, frozenset[str]]:
    rows = load_names("common_signs.yaml", list[_Signs])
    return {name: frozenset(row.signs) for row in rows for name in row.encodings}

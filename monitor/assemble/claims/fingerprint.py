"""Recognises copies of a text: a MinHash signature of its words, and the agencies that it credits.

Copies of one wire story differ in headline, dateline, length and credit line. The signature uses only the words,
without datelines and credits, so that copies stay similar; a shortened copy contains most of the shorter text. A
signature has 64 permutations of 16 bits (b-bit minwise hashing, Li and König 2010): 128 bytes a text.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from functools import cache
from operator import eq
from pathlib import Path

import msgspec
import rensa

from monitor.yaml_text import read_data_file

PERMUTATIONS = 64
_SEED = 20_260_204
_SHINGLE = 3
#: Words of a text that are used: enough for a whole wire story.
_MAX_WORDS = 1_200

#: Two texts are one report if at least this share of the shorter one is contained in the longer one.
CONTAINED = 0.50
#: A headline without text needs this share to be one report with another text.
CONTAINED_SHORT = 0.65
#: Texts with fewer shingles count as headlines without text.
SHORT = 18

_WORD = re.compile(r"\w+", re.UNICODE)
#: Scripts without spaces: each character counts as a word.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af]")
_FILE = Path(__file__).parent / "data" / "agencies.yaml"


class TextFingerprint(msgspec.Struct, frozen=True, array_like=True, dict=True):
    """`signature` is PERMUTATIONS numbers of 16 bits, empty for an empty text; `size` counts shingles."""

    signature: bytes = b""
    size: int = 0
    agencies: tuple[str, ...] = ()

    @property
    def numbers(self) -> array[int]:
        """The signature as numbers."""
        return array("H", self.signature)


class _Agency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: str
    credits: tuple[str, ...]
    outlets: tuple[str, ...] = ()


@cache
def _agencies() -> tuple[tuple[_Agency, ...], re.Pattern[str], dict[str, str], dict[str, str]]:
    """The agencies, a pattern for all their credits, a map from credit to agency, and one from outlet to agency."""
    agencies = read_data_file(_FILE, tuple[_Agency, ...])
    by_credit = {credit.lower(): agency.id for agency in agencies for credit in agency.credits}
    by_outlet = {name.lower(): agency.id for agency in agencies for name in agency.outlets}
    names = "|".join(sorted(map(re.escape, by_credit), key=len, reverse=True))
    # "(Reuters) -", "Reuters -", "/TASS/.", "(AP)", "- AFP", "с ссылкой на": a credit is set apart from the prose.
    marks = (
        rf"[(/\[（]\s*(?:{names})(?:[-\s][\w ]{{2,14}})?\s*[)/\]）]\.?\s*[-–—]*"
        rf"|(?:^|\n)[^\n]{{0,60}}?\b(?:{names})\s*[-–—:]\s"
        rf"|[-–—]\s*(?:{names})\s*(?:$|\n)"
    )
    return agencies, re.compile(marks, re.IGNORECASE), by_credit, by_outlet


def _credits(text: str, outlet: str) -> tuple[set[str], str]:
    """The agencies that a text credits, and the text without these credits and the datelines before them."""
    _, pattern, by_credit, by_outlet = _agencies()
    found: set[str] = set()
    own = by_outlet.get(outlet.lower())
    if own:
        found.add(own)

    def note(match: re.Match[str]) -> str:
        low = match.group().lower()
        found.update(
            agency for credit, agency in by_credit.items() if re.search(rf"(?<!\w){re.escape(credit)}(?!\w)", low)
        )
        return "\n"

    return found, pattern.sub(note, text)


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; in scripts without spaces each character is a word."""
    spaced = _UNSPACED.sub(lambda m: f" {m.group()} ", text.lower())
    return _WORD.findall(spaced)[:_MAX_WORDS]


def shingles(text: str) -> set[str]:
    """Return all runs of three words; for a text of one or two words, the text itself."""
    found = words(text)
    if not found:
        return set()
    return {" ".join(found[i : i + _SHINGLE]) for i in range(max(1, len(found) - _SHINGLE + 1))}


def read_text(text: str, outlet: str = "") -> TextFingerprint:
    """Return the signature and the credits of a text."""
    agencies, plain = _credits(text, outlet)
    runs = shingles(plain)
    if not runs:
        return TextFingerprint(agencies=tuple(sorted(agencies)))
    sketch = rensa.RMinHash(PERMUTATIONS, _SEED)
    sketch.update(runs)
    signature = array("H", (number & 0xFFFF for number in sketch.digest())).tobytes()
    return TextFingerprint(signature, len(runs), tuple(sorted(agencies)))


def similarity(a: TextFingerprint, b: TextFingerprint) -> float:
    """Return the share of the shorter text that is contained in the longer one, from 0 to 1, by their signatures.

    With Jaccard similarity J of sets of sizes m <= n, the intersection is J (m + n) / (1 + J); divided by m it is the
    containment.
    """
    if not a.signature or not b.signature:
        return 0.0
    jaccard: float = sum(map(eq, a.numbers, b.numbers)) / PERMUTATIONS
    return min(1.0, jaccard * (a.size + b.size) / ((1 + jaccard) * min(a.size, b.size)))


def same_text(a: TextFingerprint, b: TextFingerprint) -> bool:
    """Say whether two texts are copies of one report. With a shared agency credit, they may differ more."""
    if min(a.size, b.size) < SHORT:
        bar = CONTAINED_SHORT
        if max(a.size, b.size) >= SHORT * 2:
            return False
    else:
        bar = CONTAINED
    if set(a.agencies) & set(b.agencies):
        bar -= 0.1
    return similarity(a, b) >= bar


def bands(text: TextFingerprint, width: int = 2) -> Iterable[tuple[int, bytes]]:
    """Return keys, of which two similar texts almost certainly share one (locality-sensitive hashing)."""
    step = width * 2
    return ((i, text.signature[i : i + step]) for i in range(0, len(text.signature), step))

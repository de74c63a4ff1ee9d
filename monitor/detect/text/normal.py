"""Normalises text for matching, and maps positions back to the original.

`normalise` returns Unicode NFKC text without markup, control characters, invisible characters and lone surrogates.
Variants of quotes, dashes and letters get one form. The result maps its positions to those of the original, so that
every span can be shown as it was written. Names and triggers of the data files are normalised in the same way, so that
both can be compared. Letters keep their case; `fold` makes them lower case without moving any position.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

import msgspec

from monitor.detect.text.scripts import dropped_signs, letter_variants

#: Code points of one field that are read; the rest is ignored. News reports a contact far earlier.
MAX_LENGTH = 16_000

_SAME: dict[str, str] = {
    "'": "‘’‚‛′ʼʻ`´",
    '"': "“”„‟″",
    "-": "‐‑‒–−﹣",
    "—": "―",
    " ": "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000\t\v\f\r",
    "\n": "\u0085\u2028\u2029",
    **letter_variants(),
    "\ufffd": "",
}
#: One character replaces one character, so that positions stay the same.
_FOLDS = str.maketrans({ord(variant): kept for kept, variants in _SAME.items() for variant in variants})
#: Format characters: soft hyphen, zero-width and bidi controls, fillers, variation selectors, byte order mark, tags.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_DROP = f"\x00{_INVISIBLE}{dropped_signs()}"
_CONTROL = "\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_SURROGATE = "\ud800-\udfff"

_MARKUP = re.compile(r"</?[A-Za-z!?][^<>]{0,400}>|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_BLOCK = re.compile(
    r"</?(?:p|br|div|li|ul|ol|h[1-6]|tr|td|th|table|blockquote|figure|figcaption|section)\b", re.IGNORECASE
)
_FOLDABLE = re.compile(f"[{re.escape(''.join(map(chr, _FOLDS)))}]")
_ODD_CHARACTER = re.compile(f"[{_DROP}{_CONTROL}{_SURROGATE}]")
_ODD = re.compile(
    f"(?P<markup>{_MARKUP.pattern})|(?P<space>[{_CONTROL}]+)|(?P<lone>[{_SURROGATE}]+)|(?P<drop>[{_DROP}]+)"
)
_ODD_OR_FOREIGN = re.compile(f"{_ODD.pattern}|(?P<foreign>[A-Za-z]?[^\\x00-\\x7f]+)")
_LONE, _DROPPED, _CONTROLS = re.compile(f"[{_SURROGATE}]"), re.compile(f"[{_DROP}]"), re.compile(f"[{_CONTROL}]")
#: Anything except the letters and marks of everyday news, which NFKC does not change. This only saves time: texts with
#: other letters take the slow path with the same result.
_UNUSUAL = re.compile(
    "[^\x00-\x7f\xc0-\u0131\u0134-\u013e\u0141-\u0148\u014a-\u017e\u0400-\u045f\u0490\u0491\u0621-\u064a\u3001\u3002"
    "\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3\xab\xbb‘’“”–—]"
)
#: Characters that normalising changes. Text without them, and without unusual ones, is already in normal form.
_TO_MEND = re.compile(f"[<&{re.escape(''.join(map(chr, _FOLDS)))}{_DROP}{_CONTROL}{_SURROGATE}]")
#: The most frequent folds, done with `replace`, which takes a tenth of the time of `translate`.
_COMMON = (("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("–", "-"))
#: Unicode's limit for a run of combining marks (UAX 15, stream-safe text), and a window that keeps the work small.
_CLUSTER = 30
_WINDOW = 1_000


class NormalText(msgspec.Struct, frozen=True):
    """Normalised text, and where its characters come from.

    `pieces` is empty if no character moved. Otherwise it holds, in order, (position here, position in the source,
    length in the source, moved): a moved piece as a whole stands for that stretch of the source.
    """

    text: str
    pieces: tuple[tuple[int, int, int, bool], ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original string from which `text[start:end]` came, in code points."""
        if not self.pieces:
            return start, end
        if start >= end:
            at = self._source(start, last=False)
            return at, at
        return self._source(start, last=False), self._source(end - 1, last=True)

    def _source(self, position: int, *, last: bool) -> int:
        here, there, length, moved = self.pieces[max(0, bisect_right(self.pieces, position, key=_position) - 1)]
        if moved:
            return there + length if last else there
        return there + position - here + (1 if last else 0)


def _position(piece: tuple[int, int, int, bool]) -> int:
    return piece[0]


def normalise(string: str) -> NormalText:
    """Return the first MAX_LENGTH code points of `string`, ready for matching. Never raises."""
    if len(string) > MAX_LENGTH:
        string = string[:MAX_LENGTH]
    if string.isascii() and string.isprintable():
        if "<" not in string and "&" not in string and "`" not in string:
            return NormalText(string)
        even = True
    elif not _UNUSUAL.search(string) and not _TO_MEND.search(string):
        return NormalText(string)
    else:
        even = string.isascii() or _is_even(string)
    if even and not _MARKUP.search(string) and not _ODD_CHARACTER.search(string):
        for variant, kept in _COMMON:
            string = string.replace(variant, kept)
        return NormalText(string.translate(_FOLDS) if _FOLDABLE.search(string) else string)
    return _rebuild(string, even=even)


def _is_even(string: str) -> bool:
    return not _UNUSUAL.search(string) or all(
        unicodedata.is_normalized("NFKC", string[at : at + _WINDOW].translate(_FOLDS))
        for at in range(0, len(string), _WINDOW)
    )


def _rebuild(string: str, *, even: bool) -> NormalText:
    parts: list[str] = []
    pieces: list[tuple[int, int, int, bool]] = []
    here = done = 0
    for start, end, replacement in _replacements(string, even=even):
        if start > done:
            pieces.append((here, done, start - done, False))
            parts.append(string[done:start].translate(_FOLDS))
            here += start - done
        if replacement:
            pieces.append((here, start, end - start, True))
            parts.append(replacement)
            here += len(replacement)
        done = end
        if here > MAX_LENGTH:
            done = len(string)
            break
    if done < len(string):
        pieces.append((here, done, len(string) - done, False))
        parts.append(string[done:].translate(_FOLDS))
    return NormalText("".join(parts)[:MAX_LENGTH], tuple(pieces))


def _replacements(string: str, *, even: bool) -> Iterator[tuple[int, int, str]]:
    for match in (_ODD if even else _ODD_OR_FOREIGN).finditer(string):
        start, end = match.span()
        found = match.group()
        match match.lastgroup:
            case "drop":
                yield start, end, ""
            case "space":
                yield start, end, " "
            case "lone":
                yield start, end, "\ufffd"
            case "foreign" if len(found) == 2 and _continues(found[1]):
                yield start, end, _plain(found)
            case "foreign":
                if _ODD_CHARACTER.search(found) or not _is_even(found):
                    yield from _clusters(found, start)
            case _ if found[0] == "<":
                yield start, end, "\n" if _BLOCK.match(found) else ""
            case _:
                yield start, end, _plain(html.unescape(found))


def _clusters(run: str, offset: int) -> Iterator[tuple[int, int, str]]:
    """The letters of a foreign run, each with its combining marks, where normalising changes them."""
    at, size = 0, len(run)
    while at < size:
        end = at + 1
        while end < size and end - at < _CLUSTER and _continues(run[end]):
            end += 1
        cluster = run[at:end]
        plain = _plain(cluster)
        if plain != cluster.translate(_FOLDS):
            yield offset + at, offset + end, plain
        at = end


def _continues(character: str) -> bool:
    """Whether the character joins the one before it: a combining mark, or a Hangul vowel or final (UAX 15)."""
    return unicodedata.combining(character) != 0 or "\u1160" <= character <= "\u11ff"


@lru_cache(maxsize=8_192)
def _plain(piece: str) -> str:
    kept = unicodedata.normalize("NFKC", _LONE.sub("\ufffd", _DROPPED.sub("", piece)).translate(_FOLDS))
    return _CONTROLS.sub(" ", _DROPPED.sub("", kept)).translate(_FOLDS)


def matched_form(phrase: str) -> str:
    """Return a phrase of a data file in the form in which articles are searched for it: normalised and folded."""
    if phrase.isascii() and phrase.replace(" ", "").isalpha():  # nothing to normalise
        return phrase.lower()
    return fold(normalise(phrase).text)


def fold(text: str) -> str:
    """Return `text` in lower case without moving a character (U+0130, whose lower case is longer, becomes i)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text.replace("\u0130", "i").lower()

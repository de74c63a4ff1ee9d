"""The layout of news text: where sentences end, labels ("Opinion:"), bylines, captions and "read more" lines.

Each language lists its words for these in `layout.yaml`. Text is split before its language is known, so the words of
all languages apply to every text; none of them has another meaning in another language.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import Literal, get_args

import msgspec

from monitor.detect.datafile import DATA, read
from monitor.detect.text.normal import MAX_LENGTH, fold, matched_form


class NewsLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The section `layout` of a language.

    A full stop after one of `abbreviations` does not end a sentence, unless one of `openers` follows. One of
    `sections` may end a text without a punctuation mark before it. `labels` stand at the start of a headline, or after
    its bar. `furniture` are regular expressions for bylines, captions, captions of old pictures (`archive`) and related
    lines. `possessives` are marks that make the word before them an owner ("Putin's"). After a letter of
    `bare_possessive_behind` a plain apostrophe does so too ("the leaders' summit").
    """

    abbreviations: tuple[str, ...] = ()
    openers: tuple[str, ...] = ()
    sections: frozenset[str] = frozenset()
    labels: Mapping[str, tuple[str, ...]] = {}
    furniture: Mapping[str, tuple[str, ...]] = {}
    possessives: tuple[str, ...] = ()
    bare_possessive_behind: str = ""


#: The kinds of furniture that regular expressions find; labels are found by their words.
_PatternKind = Literal["byline", "caption", "archive", "related"]


class Furniture(msgspec.Struct, frozen=True):
    """A stretch of text that is not part of the story.

    `kind` is `label`, `byline`, `caption`, `archive` (the caption of an old picture) or `related`. `name` is the kind
    of a label (opinion, analysis, live, history, news, ...).
    """

    start: int
    end: int
    kind: Literal["label"] | _PatternKind
    name: str = ""


@cache
def layout() -> NewsLayout:
    """Return the layout words of all languages together. Raises DataFileError when a file is not valid."""
    files = sorted((DATA / "languages").glob("*/layout.yaml"))
    each = [read(path.name, dict[str, NewsLayout], folder=path.parent)["layout"] for path in files]
    return NewsLayout(
        tuple(word for one in each for word in one.abbreviations),
        tuple(word for one in each for word in one.openers),
        frozenset(word for one in each for word in one.sections),
        _joined([one.labels for one in each]),
        _joined([one.furniture for one in each]),
        tuple(dict.fromkeys(fold(word) for one in each for word in one.possessives)),
        "".join(one.bare_possessive_behind for one in each),
    )


def _joined(groups: list[Mapping[str, tuple[str, ...]]]) -> Mapping[str, tuple[str, ...]]:
    joined: defaultdict[str, tuple[str, ...]] = defaultdict(tuple)
    for group in groups:
        for name, words in group.items():
            joined[name] += words
    return dict(joined)


_BREAK = re.compile(
    r"(?P<stop>[.!?…]{1,10}|[。؟।])[\"')\]»]{0,3}(?=\s|$)|[。؟।]|[!?](?=[\u3040-\u9fff])|\n+|\* \* \*|•|\s;\s"
)
_WORD = re.compile(r"[^\W\d_]+")


@cache
def _abbreviations() -> frozenset[str]:
    return frozenset(fold(word).rstrip(".") for word in layout().abbreviations)


@cache
def _openers() -> frozenset[str]:
    return frozenset(fold(word) for word in layout().openers)


def sentences(text: str, limit: int = MAX_LENGTH) -> list[tuple[int, int]]:
    """Return the first `limit` sentences of normalised text as (start, end), without the space around them."""
    spans: list[tuple[int, int]] = []
    start = 0
    for match in _BREAK.finditer(text):
        if match["stop"] == "." and not _ends_sentence(text, start, match.start(), match.end()):
            continue
        _add(spans, text, start, match.end())
        start = match.end()
        if len(spans) >= limit:
            return spans
    _add(spans, text, start, len(text))
    return spans


def _add(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        first = start + len(piece) - len(piece.lstrip())
        spans.append((first, first + len(stripped)))


def _ends_sentence(text: str, start: int, dot: int, end: int) -> bool:
    """Whether the full stop at `dot` ends a sentence, not only an abbreviation, an initial or an ordinal."""
    following = text[end : end + 40].lstrip()
    if not following:
        return True
    if following[0].islower():
        return False
    token = text[max(start, dot - 24) : dot].rsplit(None, 1)[-1:] or [""]
    word = token[0].lstrip("(\"'[")
    short = (
        (len(word) == 1 and word.isalpha() and word.isupper())
        or "." in word
        or fold(word) in _abbreviations()
        or (word.isdigit() and len(word) <= 2)
    )
    if not short:
        return True
    opener = _WORD.match(following)
    return opener is not None and fold(opener.group()) in _openers()


#: Longer than any headline, in characters.
_HEADLINE = 400


@cache
def _label_patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    words = sorted(_label_names(), key=len, reverse=True)
    either = f"(?P<word>{'|'.join(map(re.escape, words))})"
    return (
        re.compile(rf"\s{{0,3}}{either}\s?(?::|\||—|-(?=\s))\s?"),
        re.compile(rf"(?:[|—]|\s-)\s?{either}\s{{0,3}}$"),
        re.compile(rf"[\[(]{either}[\])]"),
    )


@cache
def _label_names() -> dict[str, str]:
    return {matched_form(word): name for name, group in layout().labels.items() for word in group}


@cache
def _furniture_patterns() -> tuple[tuple[_PatternKind, re.Pattern[str]], ...]:
    kinds: tuple[_PatternKind, ...] = get_args(_PatternKind)
    return tuple(
        (kind, re.compile("|".join(rf"(?:{words})" for words in layout().furniture.get(kind, ())), re.MULTILINE))
        for kind in kinds
        if layout().furniture.get(kind)
    )


def label(title: str) -> Furniture | None:
    """Return the label of a normalised headline ("Opinion:", "LIVE |", "[Analysis]"), or None."""
    folded = fold(title[:_HEADLINE])
    head, tail, box = _label_patterns()
    match = head.match(folded) or tail.search(folded, max(0, len(folded) - 40)) or box.search(folded)
    return Furniture(match.start(), match.end(), "label", _label_names()[match["word"]]) if match else None


def furniture(text: str) -> list[Furniture]:
    """Return the bylines, photo captions and "read more" lines of normalised running text, in order."""
    found = [
        Furniture(match.start(), match.end(), kind)
        for kind, pattern in _furniture_patterns()
        for match in pattern.finditer(text)
        if match.end() > match.start()
    ]
    return sorted(found, key=lambda piece: piece.start)

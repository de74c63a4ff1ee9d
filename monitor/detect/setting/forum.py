"""Finds the forum of a contact: the gathering at which, or on whose sidelines, it takes place.

The name of a body alone is not a gathering ("the NATO chief", "G20 countries"). It counts before "summit" and similar
words, after "at" and similar words, or after "on the sidelines of". These words are data of each language (`forums:`);
names that all languages write alike are in `data/forums.yaml`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from functools import cache

import msgspec

from monitor.detect.datafile import read
from monitor.detect.text.normal import fold, matched_form
from monitor.detect.text.phrasebook import Phrasebook
from monitor.detect.text.scripts import unspaced_letters

#: Letters of scripts without spaces: a name in them needs no word boundary.
_UNSPACED = re.compile(f"[{unspaced_letters()}]")


#: Matches nothing.
_NEVER = r"(?!)"


class ForumNames(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`data/forums.yaml`: the canonical names of forums, each with its spellings.

    `framed` are bodies, which count only next to a language's words for gatherings. `named` are gatherings, which
    always count.
    """

    framed: Mapping[str, tuple[str, ...]] = {}
    named: Mapping[str, tuple[str, ...]] = {}


class ForumWords(ForumNames, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `forums` section of a language: its names of forums, and the words around a body's name.

    `sidelines`: words that place a contact beside the forum. A body's name counts as a forum before one of `events`, or
    after one of `leads` (with up to two of `articles` between them) if none of `bodies` follows.
    """

    sidelines: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    bodies: tuple[str, ...] = ()


class ForumHit(msgspec.Struct, frozen=True):
    """A forum named at `start:end` of the text; `sidelines`: the text places something on its sidelines."""

    start: int
    end: int
    forum: str
    sidelines: bool = False


class Forums:
    """The forums of one language, ready for matching. `possessives` are the language's possessive marks."""

    def __init__(self, words: ForumWords, possessives: Iterable[str], names: ForumNames) -> None:
        self._book = Phrasebook(
            (name, (forum, always, name.isupper()))
            for always, tables in ((False, (names.framed, words.framed)), (True, (names.named, words.named)))
            for table in tables
            for forum, spellings in table.items()
            for name in spellings
        )
        events, leads, bodies = (
            _bounded(_folded(group)) or _NEVER for group in (words.events, words.leads, words.bodies)
        )
        self._event = re.compile(rf"(?:[\s-]{{1,2}}[\w'-]{{1,20}}){{0,2}}?[\s-]{{0,2}}(?:{events})")
        articles = "|".join(map(re.escape, _folded(words.articles))) or _NEVER
        self._lead = re.compile(rf"(?:{leads})\s{{1,2}}(?:(?:{articles})\s){{0,2}}$")
        owner = "|".join(map(re.escape, sorted(possessives, key=len, reverse=True))) or _NEVER
        self._body = re.compile(rf"(?:{owner})?\s{{1,2}}(?:{bodies})")
        self._sidelines = Phrasebook((phrase, True) for phrase in words.sidelines)

    def find(self, text: str) -> tuple[ForumHit, ...]:
        """Return the forums that normalised `text` names, in order."""
        folded = fold(text)
        names = self._book.longest(folded)
        aside = [end for _, end, _ in self._sidelines.find(folded)] if names else []
        plain = text.islower()
        hits = []
        for start, end, (forum, always, capitals) in names:
            if not plain and not _is_written_as_name(text[start:end], capitals=capitals):
                continue
            at = bisect_left(aside, start - 40)
            sidelines = at < len(aside) and aside[at] <= end + 40
            if always or sidelines or self._is_gathering(folded, start, end):
                hits.append(ForumHit(start, end, forum, sidelines))
        return tuple(hits)

    def _is_gathering(self, folded: str, start: int, end: int) -> bool:
        if self._event.match(folded, end):
            return True
        if self._body.match(folded, end):
            return False
        return self._lead.search(folded[max(0, start - 32) : start]) is not None


def _is_written_as_name(words: str, *, capitals: bool) -> bool:
    """Whether it has the name's capitals. For longer acronyms the first is enough, as British papers write them."""
    return words.isupper() or (not words.islower() and (not capitals or (len(words) > 3 and words[0].isupper())))


def _folded(words: Iterable[str]) -> list[str]:
    return [matched_form(word) for word in words]


def _bounded(words: Iterable[str]) -> str:
    return "|".join(
        re.escape(word) if _UNSPACED.search(word) else rf"(?<!\w){re.escape(word)}(?!\w)"
        for word in sorted(set(words), key=len, reverse=True)
    )


@cache
def forum_names() -> ForumNames:
    """Return the forums whose names all languages write alike. Raises DataFileError when the file is not valid."""
    return read("forums.yaml", ForumNames)

"""Full-text search: brings texts and queries into one form, and finds the leaders that a query names.

Texts are folded: lower case, without accents, with compatibility forms resolved (Unicode NFKD). A word of three letters
or more is looked up by its trigrams, so it is found inside longer words and in scripts without spaces. A shorter one is
looked up as a word, or as two neighbouring letters of such a script.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import regex

from monitor.records import Event
from monitor.watchlist import Watchlist

#: Characters of one event that are indexed: a headline, a brief, and a dozen titles.
MAX_INDEXED = 2000
#: Words of a query that are used.
MAX_WORDS = 12
#: Words of the longest name.
_LONGEST_NAME = 6

_MARKS = regex.compile(r"\p{Mn}+")
_TOKEN = regex.compile(r"[\p{L}\p{N}]+")
_SHORT = regex.compile(r"(?<![\p{L}\p{N}])[\p{L}\p{N}]{1,2}(?![\p{L}\p{N}])")
#: Runs of letters in scripts without spaces between words.
_UNSPACED = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー]+")
#: Fast path for ASCII texts: everything except letters and digits becomes a space.
_SPACED = {code: " " for code in range(128) if not chr(code).isalnum()}


def fold(text: str) -> str:
    """Return the text without case and accents, as it is indexed."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text.casefold())))


def indexed_text(event: Event) -> str:
    """Return the folded text by which an event is found."""
    parts = [event.forum or "", event.place.name if event.place else "", *event.topics, event.brief]
    # The brief already quotes one title.
    parts += (title for title in dict.fromkeys(source.title for source in event.sources) if title not in event.brief)
    return fold("\n".join(part for part in parts if part)[:MAX_INDEXED])


def short_words(folded: str) -> str:
    """Return the words of one and two letters, and every two neighbouring letters of scripts without spaces."""
    if folded.isascii():
        return " ".join(dict.fromkeys(word for word in folded.translate(_SPACED).split() if len(word) < 3))
    found = dict.fromkeys(_SHORT.findall(folded))
    for run in _UNSPACED.findall(folded):
        found.update(dict.fromkeys(run[at : at + 2] for at in range(max(1, len(run) - 1))))
    return " ".join(found)


@dataclass(frozen=True)
class SearchQuery:
    """A parsed query: for each name the leaders with that name, and the other words, folded."""

    leaders: tuple[frozenset[str], ...] = ()
    words: tuple[str, ...] = ()

    @property
    def long_words(self) -> str:
        """The FTS5 expression for the trigram index; empty without long words."""
        return " AND ".join(f'"{word}"' for word in self.words if len(word) > 2)

    @property
    def short_words(self) -> str:
        """The FTS5 expression for the index of short words; a single letter matches their beginning."""
        return " AND ".join(f'"{word}"' + ("*" if len(word) == 1 else "") for word in self.words if len(word) <= 2)


class LeaderNames:
    """Every name of every leader of a watchlist, folded."""

    def __init__(self, watchlist: Watchlist) -> None:
        self._leaders: dict[tuple[str, ...], set[str]] = {}
        for leader in watchlist.leaders.values():
            written = [leader.name, *(alias.text for alias in leader.aliases)]
            for name in {*written, *(leader.id.split("-")[-1:] if not leader.aliases else ())}:
                if key := tuple(_TOKEN.findall(fold(name))):
                    self._leaders.setdefault(key, set()).add(leader.id)
        self._recent = _newest_terms(watchlist)

    def leaders_named(self, text: str) -> tuple[str, ...]:
        """Return the leaders whose id or full name the text is, latest in office first; empty if there is none."""
        if text in self._recent:
            return (text,)
        asked = self.ask(text)
        if len(asked.leaders) != 1 or asked.words:
            return ()
        return tuple(sorted(asked.leaders[0], key=lambda leader: (-self._recent.get(leader, 0), leader)))

    def ask(self, text: str) -> SearchQuery:
        """Parse a query: first the longest names, then words. Unknown characters are ignored."""
        tokens = _TOKEN.findall(fold(text))[:MAX_WORDS]
        leaders: list[frozenset[str]] = []
        words: list[str] = []
        at = 0
        while at < len(tokens):
            for length in range(min(_LONGEST_NAME, len(tokens) - at), 0, -1):
                if found := self._leaders.get(tuple(tokens[at : at + length])):
                    leaders.append(frozenset(found))
                    at += length
                    break
            else:
                words.append(tokens[at])
                at += 1
        return SearchQuery(tuple(leaders), tuple(dict.fromkeys(words)))

    def suggest(self, text: str, limit: int = 8) -> list[str]:
        """Return the leaders with a name that begins with the text, latest in office first."""
        beginning = " ".join(_TOKEN.findall(fold(text)))
        if not beginning:
            return []
        found: set[str] = set()
        for key, ids in self._leaders.items():
            if " ".join(key).startswith(beginning):
                found |= ids
        return sorted(found, key=lambda leader: (-self._recent.get(leader, 0), leader))[:limit]


def _newest_terms(watchlist: Watchlist) -> dict[str, int]:
    def last(ends: Iterable[tuple[int, int]]) -> int:
        return max((end * 10_000_000 + begin for begin, end in ends), default=0)

    return {
        leader.id: last(
            (office.from_.toordinal() if office.from_ else 0, office.to.toordinal() if office.to else 9_999_999)
            for office in leader.offices
        )
        for leader in watchlist.leaders.values()
    }

"""The tokens of one sentence together with the names found in them."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.detect.people.gazetteer import NameHit
from monitor.detect.text.scripts import commas
from monitor.detect.text.tokens import BARE_BEHIND, POSSESSIVES, Token

_COMMAS = frozenset(commas())


class Sentence:
    """The tokens of one sentence together with the names found in them."""

    def __init__(self, tokens: Sequence[Token], hits: Sequence[NameHit], *, title_case: bool, lower_case: bool) -> None:
        self.tokens = tokens
        self.words = [token.text for token in tokens]
        self.title_case = title_case
        self.lower_case = lower_case
        index = {token.start: n for n, token in enumerate(tokens)}
        ends = {token.end: n + 1 for n, token in enumerate(tokens)}
        self._names: dict[int, tuple[NameHit, int]] = {}
        for hit in hits:
            if hit.name.title and not hit.name.leaders:
                continue
            first, last = index.get(hit.start), ends.get(hit.end)
            if first is None or last is None:
                continue
            if lower_case or any(map(self.is_capital, range(first, last))):  # "alemán" is no surname, but "Alemán" is
                self._names[first] = (hit, last)

    def name_at(self, at: int) -> NameHit | None:
        """Return the name that starts at that token, None if none does."""
        found = self._names.get(at)
        return found[0] if found else None

    def after(self, hit: NameHit) -> int:
        """Return the index of the token after a name."""
        return next(last for found, last in self._names.values() if found is hit)

    def is_capital(self, at: int) -> bool:
        """Say whether the token may start a name: a capital, or a letter of a script without capitals."""
        return at < len(self.tokens) and (self.tokens[at].capital or not _cased(self.words[at]))

    def spaced(self, at: int) -> bool:
        """Say whether the token is a word with white space before it."""
        return at < len(self.tokens) and self.tokens[at].spaced and self.words[at][0].isalpha()

    def is_comma(self, at: int) -> bool:
        """Say whether the token is a comma."""
        return at < len(self.words) and self.words[at] in _COMMAS

    def is_owner(self, at: int) -> bool:
        """Say whether the token is a possessive mark."""
        return at < len(self.words) and (
            self.words[at] in POSSESSIVES
            or (self.words[at] == "'" and not self.tokens[at].spaced and self.words[at - 1][-1] in BARE_BEHIND)
        )


def _cased(word: str) -> bool:
    return word[:1].lower() != word[:1].upper()

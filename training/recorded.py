"""A reader that says what was written down: the opinions of models that were not trained on an item's outlet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.detect.reader.fusion import Fusion
from monitor.detect.reader.opinion import NONE, Opinion, Pair
from monitor.detect.reader.passage import Passage, Word


class RecordedReader:
    """Answers from `opinions`, by passage; gives no evidence, since it cannot read anew."""

    def __init__(self, opinions: Mapping[Passage, Mapping[Pair, Opinion]], fusion: Fusion) -> None:
        self._opinions = opinions
        self.fusion = fusion

    def read(self, passage: Passage) -> dict[Pair, Opinion]:
        """The opinions of this passage, none if it is not known."""
        return dict(self._opinions.get(passage, {}))

    def words(self, passage: Passage, pair: Pair) -> list[Word]:
        """No words: evidence is not looked for."""
        return []

    def opinions(self, passages: Sequence[list[Word]]) -> list[Opinion]:
        """One empty opinion each."""
        return [Opinion({NONE: 1.0}, {}, {}) for _ in passages]

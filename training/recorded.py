"""A reader that returns recorded opinions, from models that were not trained on an item's outlet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.detect.reader.fusion import Fusion
from monitor.detect.reader.opinion import NONE, Opinion, Pair
from monitor.detect.reader.passage import Passage, Word


class RecordedReader:
    """Returns `opinions` by passage. It gives no evidence, because it can't run the model again."""

    def __init__(self, opinions: Mapping[Passage, Mapping[Pair, Opinion]], fusion: Fusion) -> None:
        self._opinions = opinions
        self.fusion = fusion

    def read(self, passage: Passage) -> dict[Pair, Opinion]:
        """Return the opinions of this passage; empty if it was not recorded."""
        return dict(self._opinions.get(passage, {}))

    def words(self, passage: Passage, pair: Pair) -> list[Word]:
        """Return no words, because no evidence is needed."""
        return []

    def opinions(self, passages: Sequence[list[Word]]) -> list[Opinion]:
        """Return an empty opinion for each passage."""
        return [Opinion({NONE: 1.0}, {}, {}) for _ in passages]

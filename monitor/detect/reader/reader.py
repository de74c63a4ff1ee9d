"""The learned reader: gives, for each pair of leaders in an article, probabilities of statuses, media and kinds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.detect.reader.encoder import Encoder, bundled_encoder
from monitor.detect.reader.fusion import Fusion, bundled_fusion
from monitor.detect.reader.opinion import Opinion, Pair
from monitor.detect.reader.passage import Passage, Word, words_of


class PairReader(Protocol):
    """What the detector needs of a reader."""

    @property
    def fusion(self) -> Fusion:
        """The weights with which it is combined with the rules."""
        ...

    def read(self, passage: Passage) -> dict[Pair, Opinion]:
        """Return an opinion of each pair of leaders that the passage names."""
        ...

    def words(self, passage: Passage, pair: Pair) -> list[Word]:
        """Return the passage as words, as the model reads it for this pair."""
        ...

    def opinions(self, passages: Sequence[list[Word]]) -> list[Opinion]:
        """Return the opinion of each passage."""
        ...


class Reader:
    """Reads passages with the bundled model. Pure, deterministic and offline; threads may share it.

    Raises DataFileError when it is created and the model's files are missing or damaged.
    """

    def __init__(self, encoder: Encoder | None = None, fusion: Fusion | None = None) -> None:
        self.fusion = bundled_fusion() if fusion is None else fusion
        self._encoder = bundled_encoder() if encoder is None else encoder
        card = self._encoder.card
        self._names = (card.statuses, card.media, card.kinds)

    def read(self, passage: Passage) -> dict[Pair, Opinion]:
        """Return an opinion of each pair of leaders in the passage; empty for a language that it was not trained on."""
        pairs = list(passage.pairs())
        if not pairs or passage.language not in self._encoder.card.languages:
            return {}
        words = [self.words(passage, pair) for pair in pairs]
        return dict(zip(pairs, self.opinions(words), strict=True))

    def words(self, passage: Passage, pair: Pair) -> list[Word]:
        """Return the passage as words, as the model reads it for this pair."""
        return words_of(passage, pair, self._encoder.pieces)

    def opinions(self, passages: Sequence[list[Word]]) -> list[Opinion]:
        """Return the opinion of each passage."""
        scores = self._encoder.scores([[row for word in words for row in word.rows] for words in passages])
        return [opinion_of(row, self._names) for row in scores]


def opinion_of(scores: NDArray[np.float32], names: Sequence[Sequence[str]]) -> Opinion:
    """Return the scores of one passage as probabilities; `names` are the statuses, media and kinds."""
    parts = np.split(scores, np.cumsum([len(one) for one in names])[:-1])
    return Opinion(*(dict(zip(one, _shares(part), strict=True)) for one, part in zip(names, parts, strict=True)))


def _shares(scores: NDArray[np.float32]) -> list[float]:
    """The scores as probabilities (softmax)."""
    powers = np.exp(scores - scores.max())
    return [float(one) for one in powers / powers.sum()]

"""The learned reader: what an article says of each pair of its leaders, as probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitor.detect.reader.encoder import Encoder, bundled_encoder
from monitor.detect.reader.fusion import Fusion, bundled_fusion
from monitor.detect.reader.opinion import Opinion, Pair
from monitor.detect.reader.passage import Passage, Word, words_of


class Reads(Protocol):
    """What the detector asks of a reader; `weights` say how far it is believed beside the rules."""

    @property
    def fusion(self) -> Fusion:
        """How far it is believed."""
        ...

    def read(self, passage: Passage) -> dict[Pair, Opinion]:
        """Return an opinion of each pair of leaders that the passage names."""
        ...

    def words(self, passage: Passage, pair: Pair) -> list[Word]:
        """Return the passage as it is read for this pair."""
        ...

    def opinions(self, passages: Sequence[list[Word]]) -> list[Opinion]:
        """Return the opinion of each passage."""
        ...


class Reader:
    """Reads passages with the bundled encoder. Pure, deterministic and offline; may be shared by threads.

    Raises DataFileError when made if the model's files are missing or damaged.
    """

    def __init__(self, encoder: Encoder | None = None, fusion: Fusion | None = None) -> None:
        self.fusion = bundled_fusion() if fusion is None else fusion
        self._encoder = bundled_encoder() if encoder is None else encoder
        card = self._encoder.card
        self._names = (card.statuses, card.media, card.kinds)

    def read(self, passage: Passage) -> dict[Pair, Opinion]:
        """An opinion of each pair of leaders that the passage names, in one batch; none in a language never learnt."""
        pairs = list(passage.pairs())
        if not pairs or passage.language not in self._encoder.card.languages:
            return {}
        words = [self.words(passage, pair) for pair in pairs]
        return dict(zip(pairs, self.opinions(words), strict=True))

    def words(self, passage: Passage, pair: Pair) -> list[Word]:
        """Return the passage as it is read for this pair."""
        return words_of(passage, pair, self._encoder.pieces)

    def opinions(self, passages: Sequence[list[Word]]) -> list[Opinion]:
        """Return the opinion of each passage."""
        scores = self._encoder.scores([[row for word in words for row in word.rows] for words in passages])
        return [opinion_of(row, self._names) for row in scores]


def opinion_of(scores: NDArray[np.float32], names: Sequence[Sequence[str]]) -> Opinion:
    """The scores of one passage as probabilities; `names` are those of statuses, media and kinds, in this order."""
    parts = np.split(scores, np.cumsum([len(one) for one in names])[:-1])
    return Opinion(*(dict(zip(one, _shares(part), strict=True)) for one, part in zip(names, parts, strict=True)))


def _shares(scores: NDArray[np.float32]) -> list[float]:
    """Scores as probabilities (softmax)."""
    powers = np.exp(scores - scores.max())
    return [float(one) for one in powers / powers.sum()]

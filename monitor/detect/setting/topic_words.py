"""Finds the topics that a text names.

The words are data of each language (`topics:`); names that all languages in Latin script write alike are in
`data/topics.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from monitor.detect.datafile import read
from monitor.detect.text.normal import fold
from monitor.detect.text.phrasebook import Phrasebook

#: Key of phrases that are about no topic although they contain a topic's word: "trade barbs".
_NO_TOPIC = "none"


class Topics:
    """The topics of one language, ready for matching. A word may belong to several."""

    def __init__(self, words: Mapping[str, tuple[str, ...]], names: Mapping[str, tuple[str, ...]]) -> None:
        self._book = Phrasebook(
            (phrase, topic) for table in (names, words) for topic, phrases in table.items() for phrase in phrases
        )

    def find(self, text: str) -> tuple[str, ...]:
        """Return the topics of normalised `text`, in the order in which it first names them."""
        found = sorted(self._book.find(fold(text)))
        vetoed = [(start, end) for start, end, topic in found if topic == _NO_TOPIC]
        return tuple(
            dict.fromkeys(
                topic for at, end, topic in found if not any(start <= at and end <= stop for start, stop in vetoed)
            )
        )


@cache
def topic_names() -> Mapping[str, tuple[str, ...]]:
    """Return the topics by names that all languages write alike. Raises DataFileError when the file is not valid."""
    return read("topics.yaml", dict[str, tuple[str, ...]])

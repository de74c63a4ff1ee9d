"""About what: the topics that a text names, as canonical names. The words are `data/topics.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from monitor.detect.datafile import read
from monitor.detect.text.normal import fold
from monitor.detect.text.phrasebook import Phrasebook

#: The phrases of the file that are of no topic, though a word in them is one of a topic: "trade barbs".
_NO_TOPIC = "none"


class Topics:
    """All topics, ready for matching. A word may belong to several."""

    def __init__(self, words: Mapping[str, tuple[str, ...]]) -> None:
        self._book = Phrasebook((phrase, topic) for topic, phrases in words.items() for phrase in phrases)

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
def topics() -> Topics:
    """Return the bundled topics. Raises DataFileError when the file is not valid."""
    return Topics(read("topics.yaml", dict[str, tuple[str, ...]]))


def find_topics(text: str) -> tuple[str, ...]:
    """Return the topics that normalised `text` names, in the order in which it first names them."""
    return topics().find(text)

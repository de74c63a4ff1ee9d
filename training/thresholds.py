"""The threshold from which a mention may open an event."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.detect.reader.fusion import Fusion, contact, fused
from monitor.detect.reader.opinion import NONE
from training.weigh import Case

#: Of the pairs at or over the threshold, at least this share is in a contact. The models of the folds know a third less
#: than the one that ships: where they reach .94, the shipped one has .95 of its mentions right on two natural streams,
#: counted by exact sets of leaders (docs/quality.md).
PRECISION = 0.95
_LEAST = 100


def opening_threshold(cases: Sequence[tuple[Case, Fusion]], precision: float = PRECISION) -> float:
    """The lowest probability from which on the pairs above it are right with this precision, in steps of .01.

    Each case comes with weights that were not fitted on it. The labelled pairs are as often in a contact as pairs of
    the natural stream are (both about half: nothing else of the stream names two leaders), so no correction is made.
    """
    found = sorted(
        (
            (contact(fused(case.opinion, case.vote, fusion.of(case.language))), case.status != NONE)
            for case, fusion in cases
        ),
        reverse=True,
    )
    right, best = 0, 0.99
    for n, (probability, is_contact) in enumerate(found, 1):
        right += is_contact
        if n >= _LEAST and right / n >= precision:
            best = probability
    return round(min(0.99, best), 2)

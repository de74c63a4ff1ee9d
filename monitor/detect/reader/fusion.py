"""Two witnesses, one verdict: the reader's probabilities and what the rules found, weighed against each other.

A conditional logit over statuses. The score of a status is the reader's log probability times a weight, plus what the
rules' finding adds to it: for the status that they found, more the surer they are; for `none` where they found nothing.
The weights are in `data/fusion.yaml`, fitted by `make train` on pairs whose outlet the reader was not trained on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from monitor.detect.datafile import read
from monitor.detect.reader.opinion import NONE, PAST, Opinion

#: The reader's log probability counts no lower than this: nothing is impossible.
_FLOOR = -7.0
#: Statuses that are one to whoever asks whether it happened.
GROUPS: Mapping[str, str] = {"ongoing": "held", "rescheduled": "planned"}
#: Statuses of what is to come, and of what took place.
AHEAD = frozenset({"planned", "proposed", "rescheduled"})
BEHIND = frozenset({"held", "ongoing", PAST})


class Vote(NamedTuple):
    """What the rules found for a pair: a status, `none` when nothing, and their confidence of it from 0 to 1.

    `ahead` says that the time they read lies after the article's day.
    """

    status: str
    confidence: float = 0.0
    ahead: bool = False


class Weights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The weights of the two witnesses in one language, or in all that have none of their own.

    `bias` is by status, and `found_status` adds to `found` by the status that the rules found. `ahead` speaks against
    what took place where the time lies ahead: it is below zero. `silence` speaks for `none` where the rules found
    nothing.
    """

    reader: float
    found: float
    found_status: Mapping[str, float]
    ahead: float
    sure: float
    group: float
    contact: float
    silence: float
    bias: Mapping[str, float]


class Fusion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`data/fusion.yaml`: the weights by language, '' for every other one.

    `opening` and `joining` are probabilities of a contact: from the first a mention may open an event, from the second
    it may join one that is there.
    """

    opening: float
    joining: float
    languages: Mapping[str, Weights]

    def of(self, language: str) -> Weights:
        """Return the weights for a language's articles."""
        return self.languages.get(language) or self.languages[""]


@cache
def bundled_fusion() -> Fusion:
    """Return the weights that ship with the package. Raises DataFileError when the file is not valid."""
    return read("fusion.yaml", Fusion, folder=Path(__file__).parent / "data")


def reader_alone(fusion: Fusion) -> Fusion:
    """Weights under which the reader alone decides: for comparing witnesses."""
    alone = Weights(
        reader=1.0, found=0.0, found_status={}, ahead=0.0, sure=0.0, group=0.0, contact=0.0, silence=0.0, bias={}
    )
    return msgspec.structs.replace(fusion, languages={"": alone})


def group(status: str) -> str:
    """Return the group of a status: `ongoing` counts as held, `rescheduled` as planned."""
    return GROUPS.get(status, status)


def contact(statuses: Mapping[str, float]) -> float:
    """Return the probability that there is a contact, and not one long past."""
    return 1 - statuses[NONE] - statuses[PAST]


def features(opinion: Opinion, vote: Vote) -> dict[str, dict[str, float]]:
    """Return what speaks for each status, by the name of its weight; `found_status` is under `found.STATUS`."""
    sure = _odds(vote.confidence) if vote.status != NONE else 0.0
    found: dict[str, dict[str, float]] = {}
    for status, share in opinion.statuses.items():
        one = {"reader": max(math.log(max(share, 1e-9)), _FLOOR)}
        if vote.status == NONE:
            if status == NONE:
                one["silence"] = 1.0
        else:
            if status == vote.status:
                one["found"], one["sure"], one[f"found.{status}"] = 1.0, sure, 1.0
            elif group(status) == group(vote.status):
                one["group"] = 1.0
            if status not in (NONE, PAST) and vote.status != PAST:
                one["contact"] = 1.0
            if vote.ahead and status in BEHIND:
                one["ahead"] = 1.0
        found[status] = one
    return found


def fused(opinion: Opinion, vote: Vote, weights: Weights) -> dict[str, float]:
    """Return the probability of each status, with both witnesses heard."""
    known = {
        "reader": weights.reader, "found": weights.found, "ahead": weights.ahead, "sure": weights.sure,
        "group": weights.group, "contact": weights.contact, "silence": weights.silence,
        f"found.{vote.status}": weights.found_status.get(vote.status, 0.0),
    }  # fmt: skip
    scores = {
        status: weights.bias.get(status, 0.0) + sum(known[name] * value for name, value in given.items())
        for status, given in features(opinion, vote).items()
    }
    most = max(scores.values())
    powers = {status: math.exp(score - most) for status, score in scores.items()}
    total = sum(powers.values())
    return {status: power / total for status, power in powers.items()}


def _odds(confidence: float) -> float:
    """A confidence as log odds, 0 for .9: what the rules usually are."""
    bounded = min(max(confidence, 0.05), 0.99)
    return math.log(bounded / (1 - bounded)) - math.log(9)

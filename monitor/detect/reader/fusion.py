"""Combines the reader's probabilities and the rules' findings into one probability for each status.

This is a conditional logit over statuses. The score of a status is the reader's log probability times a weight, plus a
term for the rules' finding: for the status that they found, more if they are more confident; for `none` if they found
nothing. The weights are in `data/fusion.yaml`, fitted by `make train` on pairs whose outlet the reader was not trained
on.
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

#: Lower bound of the reader's log probability, so that no status becomes impossible.
_FLOOR = -7.0
#: Weight of a finding whose status no word states. On unseen outlets, 96 of 100 contacts that rules called held were
#: right if a verb stated it, and 79 of 100 if only a noun did: less than half as much in log odds.
_ASSUMED = 0.4
#: Statuses that answer the question "did it happen?" in the same way.
GROUPS: Mapping[str, str] = {"ongoing": "held", "rescheduled": "planned"}
#: Statuses of contacts in the future, and of contacts that took place.
AHEAD = frozenset({"planned", "proposed", "rescheduled"})
BEHIND = frozenset({"held", "ongoing", PAST})


class RuleFinding(NamedTuple):
    """What the rules found for a pair: a status (`none` if nothing), and their confidence in it from 0 to 1.

    `ahead`: the time that they read is after the article's day. `stated`: words state the status; a bare noun ("their
    meeting") is only assumed to mean a contact that took place.
    """

    status: str
    confidence: float = 0.0
    ahead: bool = False
    stated: bool = True


class Weights(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The weights of both witnesses for one language, or for all languages without weights of their own.

    `bias` is by status. `found_status` is added to `found`, by the status that the rules found. `ahead` counts against
    `held` when the time is in the future (it is below zero). `silence` counts for `none` when the rules found nothing.
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
    """`data/fusion.yaml`: the weights by language; '' stands for all other languages.

    `opening` and `joining` are probabilities of a contact: from `opening` on a mention may open an event, from
    `joining` on it may join an existing one.
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
    """Return weights with which the reader alone decides, for comparing the witnesses."""
    alone = Weights(
        reader=1.0, found=0.0, found_status={}, ahead=0.0, sure=0.0, group=0.0, contact=0.0, silence=0.0, bias={}
    )
    return msgspec.structs.replace(fusion, languages={"": alone})


def group(status: str) -> str:
    """Return the group of a status: `ongoing` counts as held, `rescheduled` as planned."""
    return GROUPS.get(status, status)


def contact(statuses: Mapping[str, float]) -> float:
    """Return the probability that there is a contact that is not long past."""
    return 1 - statuses[NONE] - statuses[PAST]


def features(opinion: Opinion, vote: RuleFinding) -> dict[str, dict[str, float]]:
    """Return the terms for each status, by the name of their weight; `found_status` is called `found.STATUS`."""
    sure = _odds(vote.confidence) if vote.status != NONE else 0.0
    found: dict[str, dict[str, float]] = {}
    for status, share in opinion.statuses.items():
        one = {"reader": max(math.log(max(share, 1e-9)), _FLOOR)}
        if vote.status == NONE:
            if status == NONE:
                one["silence"] = 1.0
        else:
            if status == vote.status:
                weight = 1.0 if vote.stated else _ASSUMED
                one["found"], one["sure"], one[f"found.{status}"] = weight, sure, weight
            elif group(status) == group(vote.status):
                one["group"] = 1.0
            if status not in (NONE, PAST) and vote.status != PAST:
                one["contact"] = 1.0
            if vote.ahead and status in BEHIND:
                one["ahead"] = 1.0
        found[status] = one
    return found


def fused(opinion: Opinion, vote: RuleFinding, weights: Weights) -> dict[str, float]:
    """Return the probability of each status, from both witnesses."""
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
    """A confidence as log odds relative to .9, the usual confidence of the rules."""
    bounded = min(max(confidence, 0.05), 0.99)
    return math.log(bounded / (1 - bounded)) - math.log(9)

"""How sure a mention is: a logistic model over a few features, its weights in `data/confidence.yaml`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from functools import cache
from typing import Literal, get_args

import msgspec

from monitor.detect.datafile import read
from monitor.errors import DataFileError

#: inferred: one side is not at the trigger itself; host_unnamed: nor is it named anywhere; headline: the title says it;
#: agreed: several sentences do; medium_known: the text tells by which medium; weak_trigger: the trigger alone says
#: little ("agree"); opinion: the headline carries such a label.
Feature = Literal["inferred", "host_unnamed", "headline", "agreed", "medium_known", "weak_trigger", "opinion"]


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The weights, and the confidence from which alert routes take a mention."""

    bias: float
    weights: Mapping[Feature, float]
    alert_threshold: float

    def confidence(self, features: Collection[Feature]) -> float:
        """Return the probability, between 0 and 1 with two decimals, that leaders and status are right."""
        return round(1 / (1 + math.exp(-self.bias - sum(self.weights[one] for one in features))), 2)


@cache
def model() -> Model:
    """Return the bundled model. Raises DataFileError when the file is not valid."""
    found = read("confidence.yaml", Model)
    missing = set(get_args(Feature)) - set(found.weights)
    if missing:
        raise DataFileError("confidence.yaml", "weights", f"no weight for {', '.join(sorted(missing))}")
    return found


def alert_threshold() -> float:
    """Return the default confidence from which a mention is worth an alert."""
    return model().alert_threshold

"""The confidence of a mention: a logistic model over a few features, with its weights in `data/confidence.yaml`."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Literal, get_args

from monitor.detect.datafile import LogisticModel, read_model

#: inferred: one side is not named next to the trigger; host_unnamed: that side is not named anywhere; headline: the
#: title states the contact; agreed: several sentences do; medium_known: the text states the medium; weak_trigger: the
#: trigger alone says little ("agree"); opinion: the headline has a label such as "Opinion".
Feature = Literal["inferred", "host_unnamed", "headline", "agreed", "medium_known", "weak_trigger", "opinion"]


class ConfidenceModel(LogisticModel, frozen=True, forbid_unknown_fields=True):
    """The weights, and the default confidence that a mention needs for an alert."""

    alert_threshold: float

    def confidence(self, features: Collection[Feature]) -> float:
        """Return the probability, between 0 and 1 with two decimals, that leaders and status are right."""
        return round(self.probability(features), 2)


@cache
def model() -> ConfidenceModel:
    """Return the bundled model. Raises DataFileError when the file is not valid."""
    return read_model("confidence.yaml", ConfidenceModel, get_args(Feature))


def alert_threshold() -> float:
    """Return the default confidence that a mention needs for an alert."""
    return model().alert_threshold

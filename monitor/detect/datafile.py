"""Reads the data files of detection. Each is read once, and strictly checked when it is loaded."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from monitor.errors import DataFileError
from monitor.yaml_text import read_data_file

DATA = Path(__file__).parent / "data"

T = TypeVar("T")


def read(name: str, type_: type[T], *, folder: Path = DATA) -> T:
    """Read the YAML file `name` of `folder` as a `type_`.

    Raises DataFileError, with file and place, when it is missing, is not YAML, or does not match the type.
    """
    return read_data_file(folder / name, type_)


class LogisticModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A logistic model over yes-or-no features, with the weight of each in log odds."""

    bias: float
    weights: Mapping[str, float]

    def probability(self, features: Collection[str]) -> float:
        """Return the probability, between 0 and 1, given the features that are true."""
        return 1 / (1 + math.exp(-self.bias - sum(self.weights[one] for one in features)))


M = TypeVar("M", bound=LogisticModel)


def read_model(name: str, type_: type[M], features: Collection[str]) -> M:
    """Read a model with exactly one weight for each of `features`. Raises DataFileError otherwise."""
    model = read(name, type_)
    if odd := set(features) ^ set(model.weights):
        raise DataFileError(name, "weights", f"missing or unknown: {', '.join(sorted(odd))}")
    return model

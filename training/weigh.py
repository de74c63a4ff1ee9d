"""Fits how rules and reader are weighed (`monitor/detect/reader/data/fusion.yaml`), on pairs of unseen outlets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from monitor.detect.reader.fusion import FusionWeights, Vote, features
from monitor.detect.reader.opinion import NONE, Opinion
from training.examples import STATUSES

#: Languages with fewer pairs share one weight of silence.
OWN_SILENCE = ("en",)
_PULL = 1e-3
#: What is believed before any pair is seen: the reader as it is, and rules that found a rare status. Of 25 pairs that
#: rules took for postponed or cancelled 21 were, and the catalogue holds two hundred more; pairs are too few to tell.
_PRIOR = {"reader": 1.0, "found.postponed": 2.0, "found.cancelled": 2.0, "found.rescheduled": 2.0}
_ROUNDS = 60


class Case(NamedTuple):
    """One pair: what both witnesses said of it, and the right status."""

    opinion: Opinion
    vote: Vote
    language: str
    status: str


def weights_of(cases: Sequence[Case], *, opening: float = 0.9, joining: float = 0.5) -> FusionWeights:
    """The weights under which the right statuses are likeliest, with a pull towards small ones."""
    shared = ("reader", "found", "sure", "group", "contact", "silence.en", "silence.")
    names = [*shared, *(f"{kind}.{status}" for kind in ("bias", "found") for status in STATUSES if status != NONE)]
    at = {name: n for n, name in enumerate(names)}
    data = np.zeros((len(cases), len(STATUSES), len(names)), np.float32)
    for n, case in enumerate(cases):
        for status, given in features(case.opinion, case.vote, case.language).items():
            row = STATUSES.index(status)
            for name, value in given.items():
                own = name if not name.startswith("silence.") or name == "silence.en" else "silence."
                data[n, row, at[own]] = value
            if status != NONE:
                data[n, row, at[f"bias.{status}"]] = 1.0
    start = torch.tensor([_PRIOR.get(name, 0.0) for name in names], dtype=torch.float64)
    found = start.clone().requires_grad_()
    x, right = torch.tensor(data, dtype=torch.float64), torch.tensor([STATUSES.index(case.status) for case in cases])
    solver = torch.optim.LBFGS([found], max_iter=_ROUNDS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        value = torch.nn.functional.cross_entropy(x @ found, right) + _PULL * ((found - start) ** 2).sum()
        value.backward()
        return value

    solver.step(loss)
    fitted = {name: round(float(found[n].item()), 3) for name, n in at.items()}
    by_status = {
        kind: {status: fitted[f"{kind}.{status}"] for status in STATUSES if status != NONE}
        for kind in ("bias", "found")
    }
    return FusionWeights(
        reader=fitted["reader"], found=fitted["found"], found_status=by_status["found"], sure=fitted["sure"],
        group=fitted["group"], contact=fitted["contact"],
        silence={"": fitted["silence."], "en": fitted["silence.en"]}, bias=by_status["bias"],
        opening=opening, joining=joining,
    )  # fmt: skip

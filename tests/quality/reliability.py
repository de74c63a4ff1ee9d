"""Measure calibration: of the mentions with a confidence near .8, about eight in ten should be right."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from monitor.records import Mention
from tests.quality.scores import matcher
from tests.quality.sets import Sets

EDGES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.01)


class Bin(NamedTuple):
    """Mentions of one stretch of confidence: how many, their mean confidence, the shares that are right."""

    low: float
    high: float
    n: int
    confidence: float
    contact: float
    status: float


def reliability(sets: Sets, items: Sequence[dict[str, Any]], mentions: Sequence[Mention]) -> list[Bin]:
    """The bins that hold a mention. A mention is right when its item has a contact of just these leaders; its status is
    right when one of those contacts has it (held and ongoing count as one)."""
    tool = matcher(sets)
    gold = {item["id"]: item["contacts"] for item in items}
    judged: list[tuple[float, bool, bool]] = []
    for mention in mentions:
        if mention.article_id not in gold or len(mention.participants) < 2:
            continue
        people = [{"leader": one.leader, "country": one.country} for one in mention.participants]
        same = [contact for contact in gold[mention.article_id] if tool.match_sets(contact["p"], people)]
        group = tool.GROUP.get(mention.status)
        judged.append((mention.confidence, bool(same), any(tool.GROUP[contact["s"]] == group for contact in same)))
    bins = []
    for low, high in pairwise(EDGES):
        inside = [one for one in judged if low <= one[0] < high]
        if inside:
            n = len(inside)
            bins.append(Bin(low, high, n, *(sum(one[i] for one in inside) / n for i in range(3))))
    return bins


def expected_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error (Naeini et al. 2015): the mean gap between confidence and share right, by mentions."""
    total = sum(one.n for one in bins)
    return sum(one.n * abs(one.confidence - one.contact) for one in bins) / total if total else 0.0

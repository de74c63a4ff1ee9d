"""Measures rules, reader and both on unseen outlets, with the scorer that comes with the labelled items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.detect import Detector
from monitor.detect.reader.fusion import Fusion, reader_alone
from monitor.detect.reader.opinion import Opinion, Pair
from monitor.detect.reader.passage import Passage
from monitor.records import Mention
from tests.quality.scores import mention_scores
from tests.quality.sets import Sets
from training.examples import Item
from training.recorded import RecordedReader

#: Part of the set (a language, or several), system, figure.
Figures = dict[str, dict[str, dict[str, float]]]
#: Languages with fewer items are measured only together with others.
FEW = 50


def measured(
    items: Sequence[Item],
    opinions: Mapping[Passage, Mapping[Pair, Opinion]],
    fold: Mapping[str, int],
    fusions: Sequence[Fusion],
) -> Figures:
    """Return the figures of each part and system; an item is judged with the fusion weights of its fold."""
    sets = Sets.from_environment()
    if sets is None:
        raise SystemExit("train: SUMMITRY_EVAL names no folder")
    deciders = [Detector(reader=RecordedReader(opinions, one)) for one in fusions]
    readers = [Detector(reader=RecordedReader(opinions, reader_alone(one))) for one in fusions]
    found: dict[str, list[Mention]] = {"rules": [], "reader": [], "both": []}
    for item in items:
        own = fold.get(item.outlet, 0)
        found["rules"] += item.rules
        found["both"] += deciders[own].detect(item.article)
        found["reader"] += readers[own].detect(item.article)
    gold = sets.gold("train.jsonl")
    parts = {"en": [one for one in gold if one["lang"] == "en"], "others": [one for one in gold if one["lang"] != "en"]}
    for code in sorted({one["lang"] for one in gold} - {"en"}):
        part = [one for one in gold if one["lang"] == code]
        if len(part) >= FEW:
            parts[code] = part
    return {
        name: {system: mention_scores(sets, part, mentions) for system, mentions in found.items()}
        for name, part in parts.items()
    }

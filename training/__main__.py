"""`make train`: makes the learned reader's files from the labelled items under SUMMITRY_EVAL.

Three models are trained without a third of the outlets each, and one with all. The three models' opinions of the
outlets that they did not see are used to fit the weights of rules and reader, and to measure the figures of the card.
Everything is seeded. It takes about an hour and a half on two cores.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from monitor.detect import Detector
from monitor.detect.reader import encoder
from monitor.detect.reader.fusion import Fusion
from monitor.detect.reader.opinion import Opinion, Pair
from monitor.detect.reader.passage import Passage
from monitor.detect.reader.pieces import UNKNOWN, WordPieces
from monitor.detect.reader.reader import opinion_of
from monitor.detect.witnesses import votes
from monitor.watchlist import bundled
from training import card
from training.examples import STATUSES, Example, Item, catalogue_items, examples_of, gold_items, linked_items
from training.folds import FOLDS, folds_of
from training.job import NAMES, Job, run, say
from training.measure import Figures, measured
from training.vocabulary import base_encoder, multilingual, table_of
from training.weigh import Case, fusion_of

ROOT = Path(__file__).parents[1]
#: The stream whose linked items are used for training.
STREAM = "world_march"
#: Our own sentences: the catalogue, and those that only the reader learns from.
OWN = (ROOT / "tests" / "monitor" / "detect" / "catalogue", ROOT / "training" / "sentences")
#: Nine in ten contacts of the labelled items have one of these statuses. Our own sentences with another status, or
#: without a contact, count twice.
_USUAL = frozenset({"held", "planned", "ongoing"})
#: Share of unknown pieces above which a language is left to the rules: Hindi has 61 in 100, Ukrainian 11, others less
#: than 3.
_STRANGE = 1 / 3
#: Probability of a contact from which a mention may open an event, and from which it may join one. docs/quality.md says
#: how they were chosen, on a stream that the reader of that time did not know.
OPENING, JOINING = 0.65, 0.4


def main() -> int:
    """Train, measure, and write the files. Returns exit status 2 if the labelled items are missing."""
    named = os.environ.get("SUMMITRY_EVAL", "")
    folder = Path(named)
    if not named or not (folder / "gold" / "train.jsonl").is_file():
        print("train: there are no labelled items. Set SUMMITRY_EVAL to a folder with gold/train.jsonl.")
        return 2
    started = time.monotonic()
    detector = Detector(rules_only=True)
    items = gold_items(folder / "gold" / "train.jsonl", detector)
    more = further_items(folder, {one.article.title for one in items}, detector)
    own = [item for folder in OWN for item in catalogue_items(folder, detector)]
    say(f"{len(items)} and {len(more)} labelled items, {len(own)} sentences of our own")
    base = base_encoder()
    rows, table = table_of(base, multilingual(), texts_of(folder))
    pieces = WordPieces(rows)
    labelled, further, extra = (examples_of(one, pieces, bundled()) for one in (items, more, own))
    extra = readable(extra)
    say(f"{len(labelled)}, {len(further)} and {len(extra)} pairs of leaders, {len(rows)} pieces")
    fold = folds_of((one.language, one.outlet) for one in labelled)
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / encoder.MODEL
        ours = extra + [one for one in extra if STATUSES[one.status] not in _USUAL]
        jobs = [Job("all outlets", labelled + further + ours, [], base, table, made)]
        for n in range(FOLDS):
            rest = [one for one in labelled + further if fold.get(one.outlet) != n] + ours
            asked = [one for one in labelled if fold[one.outlet] == n]
            jobs.append(Job(f"fold {n + 1} of {FOLDS}", rest, asked, base, table, Path(scratch) / f"{n}.onnx"))
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            _, *answers = pool.map(run, jobs)
        scores = np.zeros((len(labelled), sum(map(len, NAMES))), np.float32)
        for n, answer in enumerate(answers):
            scores[[at for at, one in enumerate(labelled) if fold[one.outlet] == n]] = answer
        np.save(Path(os.environ.get("SUMMITRY_TRAIN_KEEP", scratch)) / "scores.npy", scores)
        fusion, figures = judge(items, labelled, scores, fold)
        write_data_files(made, rows, fusion, figures, (items + more, own, labelled + further, extra))
    say(f"done in {(time.monotonic() - started) / 60:.0f} minutes")
    return 0


def further_items(folder: Path, titles: set[str], detector: Detector) -> list[Item]:
    """Return items for training only: those of `dev.jsonl`, and those of a stream that were labelled by hand.

    Items with a title in `titles` are left out, so that none is used twice.
    """
    found = gold_items(folder / "gold" / "dev.jsonl", detector)
    titles = titles | {one.article.title for one in found}
    return found + [one for one in linked_items(folder, STREAM, detector) if one.article.title not in titles]


def readable(examples: Sequence[Example]) -> list[Example]:
    """Return the examples in languages of which the model knows most pieces. The card lists no other language."""
    pieces, unknown = Counter[str](), Counter[str]()
    for one in examples:
        pieces[one.language] += len(one.rows)
        unknown[one.language] += one.rows.count(UNKNOWN)
    strange = {code for code, count in pieces.items() if unknown[code] > _STRANGE * count}
    say(f"not read, because most of their pieces are unknown: {', '.join(sorted(strange)) or 'none'}")
    return [one for one in examples if one.language not in strange]


def judge(
    items: Sequence[Item], examples: Sequence[Example], scores: NDArray[np.float32], fold: dict[str, int]
) -> tuple[Fusion, Figures]:
    """Return the weights of fusion and the figures, both from outlets that the models did not see.

    The figures of a fold use weights fitted on the other folds; the shipped weights are fitted on all folds.
    """
    opinions: dict[Passage, dict[Pair, Opinion]] = {}
    for example, row in zip(examples, scores, strict=True):
        opinions.setdefault(items[example.item].passage, {})[example.pair] = opinion_of(row, NAMES)
    cases: list[tuple[int, Case]] = []
    for example in examples:
        item = items[example.item]
        mine = opinions[item.passage]
        day = item.article.published.date() if item.article.published is not None else date.min
        vote = votes(item.rules, {example.pair: mine[example.pair]}, day)[example.pair]
        case = Case(mine[example.pair], vote, example.language, STATUSES[example.status])
        cases.append((fold[example.outlet], case))
    by_fold = [fusion_of([case for other, case in cases if other != n], joining=JOINING) for n in range(FOLDS)]
    fusion = fusion_of([case for _, case in cases], joining=JOINING, opening=OPENING)
    figures = measured(items, opinions, fold, by_fold)
    say(f"fusion {fusion}")
    say(json.dumps(figures, indent=1))
    return fusion, figures


def write_data_files(made: Path, rows: Sequence[str], fusion: Fusion, figures: Figures, data: tuple[Any, ...]) -> None:
    """Copy the files into the package, and write the card."""
    encoder.DATA.mkdir(exist_ok=True)
    model, vocabulary = made.read_bytes(), "\n".join(rows).encode()
    (encoder.DATA / encoder.MODEL).write_bytes(model)
    (encoder.DATA / encoder.VOCABULARY).write_bytes(vocabulary)
    (encoder.DATA / "fusion.yaml").write_bytes(card.fusion_text(fusion))
    digests = {
        encoder.MODEL: hashlib.sha256(model).hexdigest(),
        encoder.VOCABULARY: hashlib.sha256(vocabulary).hexdigest(),
    }
    sizes = {"file_bytes": len(model), "pieces": len(rows), "vocabulary_bytes": len(vocabulary)}
    made_on = datetime.now(UTC).date().isoformat()
    (encoder.DATA / encoder.CARD).write_bytes(card.card_text(made_on, sizes, figures, digests, data))


def texts_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Return language and text of all available items and articles, to count which pieces news uses; no labels."""
    for path in sorted([*folder.glob("gold/*.jsonl"), *folder.glob("streams/*.jsonl")]):
        for line in path.read_bytes().splitlines():
            item = msgspec.json.decode(line)
            text = " ".join(str(item.get(key) or "") for key in ("title", "lede", "summary"))
            yield item.get("lang") or item.get("language") or "en", text


if __name__ == "__main__":
    sys.exit(main())

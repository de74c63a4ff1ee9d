"""Run `make eval`: scores on the labelled sets under SUMMITRY_EVAL, next to the naive rule and the floors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from monitor.assemble.replay import final_events
from monitor.detect import Detector
from monitor.detect.reader.encoder import bundled_encoder
from monitor.detect.reader.fusion import bundled_fusion, reader_alone
from monitor.detect.reader.reader import Reader
from monitor.records import Article, Mention
from tests.quality import streams
from tests.quality.halves import rows_by_half
from tests.quality.naive import NaiveRule
from tests.quality.reliability import expected_error, reliability
from tests.quality.scores import FIGURES, mention_scores
from tests.quality.sets import Sets, article_of

FLOORS = Path(__file__).with_name("floors.yaml")
Scores = dict[str, dict[str, float]]


def main() -> int:
    """Print the tables; the exit status is 1 when a score is under its floor, 0 when the sets are not there."""
    sets = Sets.from_environment()
    if sets is None:
        print("eval: skipped. Set SUMMITRY_EVAL to the folder of the labelled sets (gold, streams, events, tools).")
        return 0
    detector = Detector()
    scores: Scores = {}
    if sets.has("gold"):
        scores |= detection(sets, detector)
    if sets.has("streams", "dev.jsonl"):
        scores |= stream(sets, detector)
    if sets.has("streams", "world_march.jsonl"):
        scores |= world(sets, detector)
    return check(scores, msgspec.yaml.decode(FLOORS.read_bytes(), type=Scores))


def detection(sets: Sets, detector: Detector) -> Scores:
    """Both witnesses, each alone, and the naive rule on the labelled items; the reliability of confidence."""
    scores: Scores = {}
    parts = parts_of(sets)
    items = [item for _, part in parts for item in part]
    articles = [article_of(item) for item in items]
    found = {
        "both": found_by(detector.detect, articles),
        "reader": found_by(Detector(reader=Reader(fusion=reader_alone(bundled_fusion()))).detect, articles),
        "rules": found_by(Detector(rules_only=True).detect, articles),
        "naive rule": found_by(NaiveRule().detect, articles),
    }
    print("Detection: F1 of contacts (P precision, R recall) and of held ones; share of right status, medium, date")
    print("The rules were made on dev and challenge; the reader was trained on dev, but not on the others.")
    print(f"  {'set':17}{'system':12}{'items':>6}" + "".join(f"{name:>11}" for name in FIGURES) + "   false alarms")
    for name, part in parts:
        for system, mentions in found.items():
            row = mention_scores(sets, part, mentions)
            empty = {item["id"] for item in part if not item["contacts"]}
            row["false_alarms"] = sum(one.article_id in empty and one.status != "past" for one in mentions)
            print(f"  {name:17}{system:12}{len(part):6}{figures_text(row)}{row['false_alarms']:8.0f} of {len(empty)}")
            if system == "both":
                scores[name] = row
    unseen_outlets()
    bins = reliability(sets, items, found["both"])
    print(
        "\nConfidence: of the mentions in each stretch, the share with the right leaders, and with the right status too"
    )
    for one in bins:
        stretch = f"  {one.low:.2f} to {min(one.high, 1):.2f}  n {one.n:4}"
        print(f"{stretch}  mean {one.confidence:.3f}  right {one.contact:.3f}  status {one.status:.3f}")
    error = expected_error(bins)
    print(f"  expected calibration error {error:.3f}\n")
    scores["confidence"] = {"calibration_error": error}
    return scores


def parts_of(sets: Sets) -> list[tuple[str, list[dict[str, Any]]]]:
    """The labelled items that the reader was not trained on, by set and language."""
    dev, challenge = sets.gold("dev.jsonl"), sets.gold("challenge_dev.jsonl")
    parts = [(f"dev_{code}", [item for item in dev if item["lang"] == code]) for code in languages(dev)]
    parts += [
        ("challenge_en", [item for item in challenge if item["lang"] == "en"]),
        ("challenge_others", [item for item in challenge if item["lang"] != "en"]),
    ]
    if sets.has("gold", "desk_dev.jsonl"):
        parts.append(("desk_dev", sets.gold("desk_dev.jsonl")))
    return parts


def unseen_outlets() -> None:
    """Print what `make train` measured on train.jsonl: on its own items the shipped reader would flatter itself."""
    print(f"\nOutlets left out of training, as stored in the reader's card: {bundled_encoder().card.figures['what']}")
    print(f"  {'part':17}{'system':12}{'':6}" + "".join(f"{name:>11}" for name in FIGURES))
    for part, systems in bundled_encoder().card.figures.items():
        if isinstance(systems, dict):
            for system, row in systems.items():
                print(f"  {part:17}{system:12}{'':6}{figures_text(row)}")


def figures_text(row: dict[str, float]) -> str:
    """A row's figures in the columns of the tables."""
    return "".join(f"{row.get(figure, float('nan')):11.3f}" for figure in FIGURES)


def languages(items: Sequence[dict[str, Any]]) -> list[str]:
    """The languages of the items, the commonest first."""
    codes = [item["lang"] for item in items]
    return sorted(set(codes), key=lambda code: (-codes.count(code), code))


def found_by(detect: Callable[[Article], tuple[Mention, ...]], articles: Sequence[Article]) -> list[Mention]:
    """All mentions of these articles."""
    return [mention for article in articles for mention in detect(article)]


def stream(sets: Sets, detector: Detector) -> Scores:
    """Detection and assembly of the whole stream, beside one-a-day and title similarity."""
    articles = sets.stream()
    mentions = streams.mentions_of(articles, detector)
    revisions = streams.revisions_of(articles, mentions)
    count, ids = sum(map(len, mentions.values())), {event.event_id for event in revisions}
    print(f"Stream: {len(articles)} articles, {count} mentions in {len(mentions)} of them, {len(ids)} events")
    scores = streams.rows(sets, articles, mentions, revisions)
    columns = {"B3 P": "b3_p", "B3 R": "b3_r", "B3 F1": "b3"} | {
        name: name for name in ("found", "split", "merge", "alerts", "pure")
    }
    print(f"  {'system':12}" + "".join(f"{name:>9}" for name in (*columns, "events")))
    for system, row in scores.items():
        print(f"  {system:12}" + "".join(f"{row[key]:9.3f}" for key in columns.values()) + f"{row['events']:9.0f}")
    right = streams.pairs_right(sets.gold("challenge_dedupe_dev.jsonl"), detector)
    print(f"Pairs of headlines of one or two events: {sum(right)} of {len(right)} right\n")
    return {"events": scores["summitry"], "pairs": {"right": sum(right) / len(right)}}


def world(sets: Sets, detector: Detector) -> Scores:
    """Detection and assembly of a month of the world's outlets, beside one-a-day, and for halves of its items."""
    articles = sets.stream("world_march.jsonl")
    mentions = streams.mentions_of(articles, detector)
    revisions = streams.revisions_of(articles, mentions)
    scores = streams.rows(sets, articles, mentions, revisions, "world_march")
    shown = {name: scores[name] for name in ("summitry", "one-a-day")}
    shown |= rows_by_half(sets, "world_march", list(final_events(revisions)))
    columns = {"B3 F1": "b3", "found": "found", "split": "split", "pure": "pure", "alerts": "alerts"}
    print("The world's outlets, March 2026; and halves of its items by outlet, language and week")
    print(f"  {'':12}" + "".join(f"{name:>9}" for name in columns))
    for name, row in shown.items():
        print(f"  {name:12}" + "".join(f"{row.get(key, float('nan')):9.3f}" for key in columns.values()))
    least = min(row["b3"] for name, row in shown.items() if name not in ("summitry", "one-a-day"))
    return {"world": scores["summitry"] | {"least_half": least}}


def check(scores: Scores, floors: Scores) -> int:
    """Compare with the floors; 1 when a score misses one."""
    failed = []
    for part, wanted in floors.items():
        for name, floor in wanted.items():
            ceiling = name.endswith("_max")
            score = scores.get(part, {}).get(name.removesuffix("_max"))
            if score is None:
                failed.append(f"{part}.{name}: no such score")
            elif score > floor if ceiling else score < floor:
                failed.append(
                    f"{part}.{name}: {score:.3f} is {'over the ceiling' if ceiling else 'under the floor'} {floor:.3f}"
                )
    print("\n".join(f"FAILED {line}" for line in failed) or f"All scores hold the floors of {FLOORS.name}.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure near-duplicate detection on pairs: `python -m tests.quality.copies`, with SUMMITRY_EVAL set.

Real edits: versions of one feed entry that were lightly edited (most words kept, by difflib) from one snapshot to the
next, against other entries of the same snapshot. Made copies: stories put together from the ledes of a real stream,
then cut, given another headline, another dateline and credit, or edited word by word; against stories of the same day
that share a quarter of their sentences (the quotes that every paper has).
"""

from __future__ import annotations

import itertools
import json
import os
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from pathlib import Path

import feedparser
import nh3

from monitor.assemble.claims.fingerprint import TextFingerprint, read_text, same_text

SEED = 4
#: Share of words that a light edit keeps in order.
LIGHT = 0.6
#: Sentences of a made story, and how many stories of a day are made.
SENTENCES, STORIES = 12, 6
Pair = tuple[str, str]


def edits(shared: Path) -> tuple[list[Pair], list[Pair]]:
    """Real versions of one entry (words differ), and pairs of different entries of one snapshot."""
    same: list[Pair] = []
    other: list[Pair] = []
    draw = random.Random(SEED)
    for folder in sorted((shared / "feeds" / "snapshots").iterdir()):
        last: dict[str, str] = {}
        for file in sorted(folder.glob("*.xml")):
            entries = feedparser.parse(file.read_bytes()).entries
            texts = {
                e.get("id") or e.get("link", ""): nh3.clean(f"{e.get('title', '')}. {e.get('summary', '')}", tags=set())
                for e in entries
            }
            same += [(last[key], text) for key, text in texts.items() if _edited(last.get(key, text), text)]
            last.update(texts)
            found = sorted(texts.values())
            other += [tuple(draw.sample(found, 2)) for _ in range(min(5, len(found) // 2))]  # type: ignore[misc]
    return same, [pair for pair in other if _differ(*pair)]


def _edited(a: str, b: str) -> bool:
    return _differ(a, b) and SequenceMatcher(None, a.lower().split(), b.lower().split()).ratio() >= LIGHT


def _differ(a: str, b: str) -> bool:
    return re.findall(r"\w+", a.lower()) != re.findall(r"\w+", b.lower())


def stories(shared: Path) -> Iterator[tuple[str, list[str]]]:
    """Headline and sentences of made stories, several a day; those of a day share a quarter of their sentences."""
    by_day: dict[str, list[str]] = defaultdict(list)
    with (shared / "streams" / "dev.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            item = json.loads(line)
            if item["outlet"] != "1tv" and len(item["title"].split()) > 6:
                by_day[item["published"][:10]].append(f"{item['title']}. {item['summary'] or ''}".strip())
    draw = random.Random(SEED)
    for sentences in by_day.values():
        draw.shuffle(sentences)
        quotes, rest = sentences[: SENTENCES // 4], iter(sentences[SENTENCES // 4 :])
        for _ in range(STORIES):
            own = list(itertools.islice(rest, SENTENCES - len(quotes)))
            if len(own) + len(quotes) < SENTENCES:
                break
            yield own[0], draw.sample([*quotes, *own[1:]], SENTENCES - 1)


def changes(draw: random.Random) -> dict[str, Callable[[str, list[str]], str]]:
    """Ways in which papers change a wire story."""

    def words(text: str) -> str:
        return " ".join(w if draw.random() > 0.1 else f"{w}x" for w in text.split())

    return {
        "another headline": lambda _, body: "Leaders in talks as pressure mounts. " + " ".join(body),
        "dateline and credit": lambda head, body: f"{head}. BEIJING, Feb 4 (Reuters) - " + " ".join(body),
        "cut to a half": lambda head, body: f"{head}. " + " ".join(body[: len(body) // 2]),
        "cut to a third": lambda head, body: f"{head}. " + " ".join(body[: len(body) // 3]),
        "one word in ten": lambda head, body: words(f"{head}. " + " ".join(body)),
        "all of it, to two thirds": lambda _, body: words(
            "Leaders in talks. MOSCOW, Feb 4 (AFP) - " + " ".join(body[: len(body) * 2 // 3])
        ),
    }


def share(pairs: list[Pair]) -> float:
    """The share of pairs that are taken for copies."""
    known: dict[str, TextFingerprint] = {}

    def text(words: str) -> TextFingerprint:
        return known.setdefault(words, known.get(words) or read_text(words))

    return sum(same_text(text(a), text(b)) for a, b in pairs) / len(pairs) if pairs else 0.0


def report(label: str, same: list[Pair], other: list[Pair]) -> None:
    """One row: recall on copies; precision where copies and others are equally many."""
    recall, false = share(same), share(other)
    precision = recall / (recall + false) if recall else 0.0
    print(
        f"  {label:26} copies {len(same):>5}  recall {recall:.3f}   others {len(other):>5}  precision {precision:.3f}"
    )


def main() -> None:
    """Print the table."""
    shared = Path(os.environ.get("SUMMITRY_EVAL", "../shared"))
    print("Near-duplicates: recall on copies; precision with as many other pairs as copies")
    report("real edits of an entry", *edits(shared))
    made = list(stories(shared))
    whole = [f"{head}. {' '.join(body)}" for head, body in made]
    other = [
        (a, b) for i in range(0, len(whole), STORIES) for a, b in itertools.combinations(whole[i : i + STORIES], 2)
    ]
    for label, change in changes(random.Random(SEED)).items():
        report(label, [(text, change(*story)) for text, story in zip(whole, made, strict=True)], other)


if __name__ == "__main__":
    main()

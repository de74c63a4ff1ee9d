"""Count false alarms on everyday news: `python -m tests.quality.audit`.

Runs detection on the development stream, takes every mention that may open an event, draws 200 with a fixed
seed and prints them for judging by `gold/GUIDELINES.md`. The verdicts live in `docs/quality.md`, by item id only: the
texts belong to their outlets. `--check` compares the draw with that list: a mention there that is no longer drawn, or
is drawn without a verdict, is named.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from monitor.detect import Detector
from monitor.records import Article, Mention
from tests.quality.sets import Sets

DRAWN, SEED = 200, 20260205
PAGE = Path(__file__).parents[2] / "docs" / "quality.md"
_ROW = re.compile(
    r"^\| `(?P<id>[^`]+)` \| (?P<leaders>[^|]+?) \| (?P<status>[a-z]+) \| (?P<verdict>right|wrong) \|", re.MULTILINE
)


class Draw(NamedTuple):
    """One drawn mention with its article."""

    article: Article
    mention: Mention

    @property
    def key(self) -> tuple[str, str, str]:
        return self.article.id, self.mention.key, self.mention.status


def draw(articles: Sequence[Article], detector: Detector) -> tuple[int, list[Draw]]:
    """How many mentions may open an event, and the drawn ones in the order of the stream.

    The draw takes those whose keys hash lowest under the seed, so that a change of the detector changes the draw only
    where it changes a mention. Background mentions (status `past`) never alert and are left out.
    """
    above = [
        Draw(article, mention)
        for article in articles
        for mention in detector.detect(article)
        if not mention.joins_only and mention.status != "past"
    ]
    drawn = {one.key[:2] for one in sorted(above, key=_lot)[:DRAWN]}
    return len(above), [one for one in above if one.key[:2] in drawn][:DRAWN]


def _lot(one: Draw) -> bytes:
    return hashlib.sha256(f"{SEED}:{one.key[:2]}".encode()).digest()


def verdicts(page: str) -> dict[tuple[str, str, str], bool]:
    """The verdicts of the page: item, leaders and status to whether the mention is right."""
    return {(row["id"], row["leaders"], row["status"]): row["verdict"] == "right" for row in _ROW.finditer(page)}


def main(arguments: list[str]) -> int:
    """Print the drawn mentions, or with `--check` what of them has no verdict; 1 when something has none."""
    sets = Sets.from_environment()
    if sets is None:
        print("audit: skipped. Set SUMMITRY_EVAL to the folder of the sets.")
        return 0
    total, drawn = draw(sets.stream(), Detector())
    if "--check" not in arguments:
        for article, mention in drawn:
            who = " + ".join(one.leader for one in mention.participants)
            when = f"{mention.when.start}/{mention.when.end}" if mention.when else "-"
            facts = f"{mention.kind} {mention.medium} {mention.status} {when} {mention.confidence:.2f} {mention.rule}"
            print(
                f"{article.id} | {article.published:%Y-%m-%d} | {article.title} | {article.summary}\n    {who}: {facts}"
            )
        print(f"{len(drawn)} of {total}")
        return 0
    known = verdicts(PAGE.read_text("utf-8"))
    missing = [one.key for one in drawn if one.key not in known]
    wrong = sum(not known[one.key] for one in drawn if one.key in known)
    gone = sorted(known.keys() - {one.key for one in drawn})
    print(
        f"{len(drawn)} drawn of {total}; {wrong} wrong, {len(missing)} without a verdict, {len(gone)} no longer drawn"
    )
    for word, keys in (("no verdict", missing), ("no longer drawn", gone)):
        for key in keys:
            print(f"  {word}:", *key)
    return 1 if missing or gone else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

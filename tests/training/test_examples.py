"""Test the labels of pairs: who is in which contact, by slug or by office."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from monitor.detect import Detector
from monitor.detect.reader.pieces import SPECIALS, WordPieces
from monitor.watchlist import bundled
from training.examples import STATUSES, examples_of, gold_items

PIECES = WordPieces([*SPECIALS, "en:a"])


def labels(detector: Detector, tmp_path: Path, title: str, *contacts: dict[str, object]) -> dict[str, str]:
    line = {"id": "1", "ds": "paper", "lang": "en", "date": "2026-02-05", "title": title, "contacts": list(contacts)}
    path = tmp_path / "gold.jsonl"
    path.write_bytes(msgspec.json.encode(line))
    found = examples_of(gold_items(path, detector), PIECES, bundled())
    return {"+".join(one.pair): STATUSES[one.status] for one in found}


def contact(*who: str, status: str = "held") -> dict[str, object]:
    return {"p": list(who), "m": "in_person", "s": status, "d": None, "k": "meeting"}


def test_a_call_with_each_leaves_the_two_others_apart(detector: Detector, tmp_path: Path) -> None:
    found = labels(
        detector, tmp_path, "Putin called Modi and Erdogan", contact("putin", "modi"), contact("erdogan", "putin")
    )
    assert sorted(found.values()) == ["held", "held", "none"]


def test_a_summit_joins_all(detector: Detector, tmp_path: Path) -> None:
    found = labels(detector, tmp_path, "Putin, Modi and Xi met", contact("modi", "putin", "xi", "others"))
    assert list(found.values()) == ["held"] * 3


def test_an_office_means_who_held_it(detector: Detector, tmp_path: Path) -> None:
    found = labels(detector, tmp_path, "Macron to meet Starmer", contact("macron", "office:GB", status="planned"))
    assert list(found.values()) == ["planned"]


def test_the_end_of_a_name_may_be_left_open(detector: Detector, tmp_path: Path) -> None:
    found = labels(detector, tmp_path, "Zelensky and Xi met", contact("zelensk", "xi"))
    assert list(found.values()) == ["held"]
    assert list(labels(detector, tmp_path, "Zelensky and Xi met", contact("zel", "xi")).values()) == ["none"]


@pytest.mark.parametrize("past", [0, 1])
def test_the_contact_that_is_not_past_counts(detector: Detector, tmp_path: Path, past: int) -> None:
    both = [contact("putin", "xi", status="planned"), contact("putin", "xi", status="past")]
    found = labels(detector, tmp_path, "Putin and Xi to meet again", both[past], both[1 - past])
    assert list(found.values()) == ["planned"]

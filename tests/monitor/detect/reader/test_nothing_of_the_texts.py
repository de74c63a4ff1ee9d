"""Test that no shipped file contains a run of words of the labelled texts, which belong to their outlets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from monitor.detect.reader.encoder import DATA, MODEL, VOCABULARY

ROOT = Path(__file__).parents[4]
#: Words (or, where no spaces are written, letters) in a row that can't be chance.
WORDS, LETTERS = 14, 24
_WORD = re.compile(r"\w+")
_RUN = re.compile(rb"[\x20-\x7e]{40,}")


def runs(text: str) -> Iterator[str]:
    words = _WORD.findall(text.lower())
    for at in range(len(words) - WORDS + 1):
        yield " ".join(words[at : at + WORDS])
    for word in words:
        for at in range(len(word) - LETTERS + 1):
            yield word[at : at + LETTERS]


def shipped() -> Iterator[Path]:
    for folder in ("monitor", "agents", "training"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".yaml", ".txt", ".md", ".json", ".csv", ".html"):
                yield path


def test_a_run_of_words_would_be_found() -> None:
    sentence = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    assert set(runs(sentence)) & set(runs(f"before it {sentence.upper()}, and after"))


@pytest.mark.slow
def test_no_run_of_their_words_ships() -> None:
    gold = Path(os.environ.get("SUMMITRY_EVAL") or "../shared") / "gold"
    if not gold.is_dir():
        pytest.skip("the labelled sets are not here")
    theirs = {
        run
        for path in gold.glob("*.jsonl")
        for line in path.read_bytes().splitlines()
        for key, text in msgspec.json.decode(line).items()
        if key in ("title", "lede") and text
        for run in runs(text)
    }
    found = {path.name: ours for path in shipped() if (ours := theirs & set(runs(path.read_text("utf-8"))))}
    assert not found


def test_the_vocabulary_holds_single_pieces() -> None:
    rows = (DATA / VOCABULARY).read_text("utf-8").split("\n")
    assert not [row for row in rows if " " in row]
    assert len(max(rows, key=len)) < 40


@pytest.mark.slow
def test_the_model_holds_no_sentence() -> None:
    told = [run for run in _RUN.findall((DATA / MODEL).read_bytes()) if run.count(b" ") >= WORDS - 1]
    assert not told

"""Test that a missing or damaged model file is reported at the start, in one error that names the file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from monitor.detect.reader.encoder import CARD, DATA, MODEL, VOCABULARY, Encoder, bundled_encoder
from monitor.errors import DataFileError

MAX_BYTES = 35_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (MODEL, VOCABULARY, CARD):
        shutil.copy(DATA / name, tmp_path / name)
    return tmp_path


def test_the_file_is_small_enough_to_ship() -> None:
    assert (DATA / MODEL).stat().st_size <= MAX_BYTES


@pytest.mark.parametrize("name", [MODEL, VOCABULARY, CARD])
def test_a_missing_file_is_one_error_that_names_it(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DataFileError, match=name):
        Encoder(folder)


@pytest.mark.parametrize("name", [MODEL, VOCABULARY])
@pytest.mark.slow
def test_a_damaged_file_is_one_error_that_names_it(folder: Path, name: str) -> None:
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(DataFileError, match=f"{name}.*not the file"):
        Encoder(folder)


def test_a_passage_scores_the_same_alone_and_beside_another() -> None:
    encoder = bundled_encoder()
    short, long = [2, 4, 900, 5, 3], [2, 4, 900, 901, 902, 903, 5, 904, 3]
    assert (encoder.scores([short])[0] == encoder.scores([long, short])[1]).all()


@pytest.mark.slow
def test_the_same_input_gives_the_same_scores() -> None:
    first, second = Encoder(), Encoder()
    passage = [[2, 4, 900, 5, 3]]
    assert (first.scores(passage) == second.scores(passage)).all()

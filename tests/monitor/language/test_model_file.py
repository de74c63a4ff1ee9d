"""Test the memory-mapped language model: the same answers as py3langid, unpacked once for many processes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from monitor.language import model_file

pytestmark = pytest.mark.slow

LANGUAGES = ("en", "es", "fr", "de", "ru", "uk", "tr")
TEXTS = [
    "The leaders of both countries met in Geneva", "Le président s'est entretenu avec son homologue", "ça va", "zz", "",
    "Der Bundeskanzler telefonierte am Montag", "президент провел переговоры", "Başkan görüştü", "\ud800 x", "1234",
]  # fmt: skip


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(model_file, "KEPT", tmp_path / "__pycache__" / "model")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return model_file.KEPT


def theirs(languages: tuple[str, ...] = LANGUAGES) -> list[tuple[str, float]]:
    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(languages)
    return [model.classify(text) for text in TEXTS]


def ours(languages: tuple[str, ...] = LANGUAGES) -> list[tuple[str, float]]:
    model = model_file.load(languages)
    return [model.classify(text) for text in TEXTS]


def test_the_model_is_unpacked_once_and_answers_as_py3langid_does(kept: Path) -> None:
    assert ours() == theirs()
    written = kept.stat()
    assert [each.name for each in kept.parent.iterdir()] == [kept.name]
    assert ours() == theirs()
    assert kept.stat().st_mtime_ns == written.st_mtime_ns


def test_a_file_that_was_made_for_other_languages_or_is_damaged_is_made_again(kept: Path) -> None:
    ours()
    assert ours(LANGUAGES[:3]) == theirs(LANGUAGES[:3])
    kept.write_bytes(b"half")
    assert ours() == theirs()


@pytest.mark.parametrize("why", ["Python keeps nothing", "the folder can't be made"])
def test_the_model_works_where_nothing_can_be_kept(kept: Path, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if why == "Python keeps nothing":
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
    else:
        kept.parent.write_bytes(b"a file, not a folder")
    assert ours() == theirs()
    assert not kept.exists()

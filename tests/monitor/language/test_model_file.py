"""Test the memory-mapped language model: the same answers as py3langid, with one file for many processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

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
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_file, "_shared", -1)


def theirs() -> list[tuple[str, float]]:
    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    model.set_languages(LANGUAGES)
    return [model.classify(text) for text in TEXTS]


def ours() -> list[tuple[str, float]]:
    model = model_file.load(LANGUAGES)
    return [model.classify(text) for text in TEXTS]


def test_the_answers_are_those_of_py3langid() -> None:
    assert ours() == theirs()


def test_processes_that_share_a_file_unpack_it_once() -> None:
    code = (
        "import sys; from monitor.language import model_file; model_file.share(int(sys.argv[1]));"
        f"print(model_file.load({LANGUAGES!r}).classify('Der Kanzler sprach mit dem Minister')[0])"
    )
    with tempfile.TemporaryFile() as file:
        command = [sys.executable, "-c", code, str(file.fileno())]
        both = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=(file.fileno(),)) for _ in range(2)
        ]
        assert [process.communicate()[0].strip() for process in both] == ["de", "de"]
        written = os.fstat(file.fileno())
        assert subprocess.check_output(command, text=True, pass_fds=(file.fileno(),)).strip() == "de"
        assert os.fstat(file.fileno()).st_mtime_ns == written.st_mtime_ns


def test_a_file_whose_writer_died_is_written_again() -> None:
    with tempfile.TemporaryFile() as file:
        model_file.share(file.fileno())
        os.pwrite(file.fileno(), b"half of a model", 5000)
        assert ours() == theirs()

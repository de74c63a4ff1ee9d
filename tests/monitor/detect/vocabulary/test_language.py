"""Test that a language is a folder of data files, and that mistakes in it are reported when it is loaded."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from monitor.detect import Detector, bundled_languages, load_language
from monitor.detect.datafile import DATA
from monitor.detect.vocabulary.frame_shapes import FrameTraits
from monitor.detect.vocabulary.language import LANGUAGES
from monitor.detect.vocabulary.language_file import (
    CrowdWords,
    CueWords,
    LanguageFile,
    TriggerForms,
    TripWords,
    VetoWords,
)
from monitor.errors import DataFileError
from monitor.records import Article

DOCUMENT = Path(__file__).parents[4] / "docs" / "languages.md"
#: A made-up language: enough to read one sentence.
TINY = """
code: qq
scripts: [Latin]
words: {kun: [kun], hi: [hi]}
groups: {gap: [WORD, hi]}
triggers:
  - {name: vidi, class: VIDI, kind: meeting, medium: in_person, forms: {past: [vidis], present: [vidas]}}
cues:
  - {status: denied, scope: before, reach: near, words: [ne]}
frames:
  - {name: vidis-kun, shape: "A=LEADER gap* T=VIDI kun B=LEADER"}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "qq").mkdir()
    (folder / "qq" / "all.yaml").write_text(text, encoding="utf-8")
    return folder


def test_a_file_is_all_that_a_language_needs(tmp_path: Path) -> None:
    tiny = load_language("qq", written(tmp_path, TINY))
    detector = Detector(languages={"qq": tiny})
    day = datetime(2026, 2, 5, tzinfo=UTC)
    (mention,) = detector.detect(Article(id="1", title="Putin vidis kun Lula", published=day, language="qq"))
    assert (mention.key, mention.status) == ("luiz-inacio-lula-da-silva+vladimir-putin", "held")
    (mention,) = detector.detect(Article(id="1", title="Putin ne vidis kun Lula", published=day, language="qq"))
    assert mention.status == "denied"


@pytest.mark.parametrize(
    ("find", "put", "said"),
    [
        ("kind: meeting", "kind: party", "kind"),
        ("reach: near", "reach: far", "reach"),
        ("kun B=LEADER", "kun B=LEDER", "'LEDER'"),
        ("kun B=LEADER", "kun B==LEADER", "no step of a shape"),
        ("gap: [WORD, hi]", "gap: [WORD, ho]", "'ho'"),
        ("words: [ne]", "words: [ne], only: [vido]", "vido"),
        ("scripts: [Latin]", "scripts: [Klingon]", "Klingon"),
        ("code: qq", "code: QQ", "ISO 639"),
        ("code: qq", "code: rr", "the folder is called 'qq'"),
        ("code: qq", "code: qq\nextra: 1", "extra"),
        ("words: {kun", "words: {LEADER: [x], kun", "LEADER"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, find: str, put: str, said: str) -> None:
    assert find in TINY
    with pytest.raises(DataFileError, match="qq") as error:
        load_language("qq", written(tmp_path, TINY.replace(find, put)))
    assert said in str(error.value)


def test_a_section_stands_once(tmp_path: Path) -> None:
    folder = written(tmp_path, TINY)
    (folder / "qq" / "more.yaml").write_text("code: qq", encoding="utf-8")
    with pytest.raises(DataFileError, match="in another file"):
        load_language("qq", folder)


def test_no_line_of_a_language_is_long() -> None:
    paths = list(LANGUAGES.rglob("*.yaml"))
    assert len(paths) > 100
    long = [f"{path}:{n}" for path in paths for n, line in enumerate(path.read_text("utf-8").splitlines(), 1)
            if len(line) > 120]  # fmt: skip
    assert not long, f"wrap these lines at 120 columns: {', '.join(long)}"


@pytest.mark.parametrize(
    "record",
    [LanguageFile, TriggerForms, FrameTraits, VetoWords, CueWords, CrowdWords, TripWords],
    ids=lambda one: one.__name__,
)
def test_the_documents_explain_each_section_and_key(record: type[msgspec.Struct]) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    missing = [
        name for name in record.__struct_encode_fields__ if f"`{name}`" not in text and f"`{name}.yaml`" not in text
    ]
    assert not missing, f"explain in docs/languages.md: {', '.join(missing)}"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="none"):
        load_language("none", tmp_path)


def test_every_bundled_language_loads() -> None:
    languages = bundled_languages()
    assert "en" in languages
    assert all(code == language.code and language.frames for code, language in languages.items())


def test_the_code_knows_no_language_by_name() -> None:
    modules = list(DATA.parent.rglob("*.py"))
    assert len(modules) > 20
    for module in modules:
        text = module.read_text(encoding="utf-8")
        assert all(f'"{code}"' not in text for code in bundled_languages()), module


@pytest.mark.parametrize("code", bundled_languages())
def test_each_bundled_language_compiles(code: str) -> None:
    language = bundled_languages()[code]
    language.compile()
    assert language.frames
    assert language.calendar is not None

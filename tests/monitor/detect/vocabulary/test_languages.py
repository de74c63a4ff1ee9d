"""Test languages other than English: articles without a date, and names that the roster does not spell."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from monitor.detect import Detector
from monitor.detect.text.tokens import split_at, tokenize
from monitor.detect.vocabulary.language import bundled_languages
from monitor.records import Article
from monitor.yaml_text import read_data_file


def leaders(detector: Detector, article: Article) -> list[list[str]]:
    return [[one.leader for one in mention.participants] for mention in detector.detect(article)]


def test_an_undated_article_is_of_the_last_day_on_which_those_named_were_in_office(detector: Detector) -> None:
    article = Article(id="1", title="胡锦涛同俄罗斯总统梅德韦杰夫举行会谈", language="zh")
    assert leaders(detector, article) == [["dmitry-medvedev", "hu-jintao"]]


def test_a_dated_article_is_of_its_day(detector: Detector) -> None:
    article = Article(
        id="1", title="胡锦涛同俄罗斯总统梅德韦杰夫举行会谈", language="zh", published=datetime(2026, 2, 5, tzinfo=UTC)
    )
    assert leaders(detector, article) == []


def test_a_title_with_its_state_names_a_leader_whom_the_roster_does_not_spell_in_that_script(
    detector: Detector,
) -> None:
    title = "Дмитрий Медведев провел переговоры с премьер-министром Финляндии Антти Ринне"
    article = Article(id="1", title=title, language="ru", published=datetime(2019, 11, 25, tzinfo=UTC))
    assert leaders(detector, article) == [["antti-rinne", "dmitry-medvedev"]]


def test_a_name_that_the_roster_spells_another_way_is_nobody(detector: Detector) -> None:
    title = "Владимир Путин провел переговоры с президентом Турции Иваном Петровым"
    article = Article(id="1", title=title, language="ru", published=datetime(2026, 2, 5, tzinfo=UTC))
    assert leaders(detector, article) == []


def test_a_name_behind_a_glued_conjunction_becomes_a_token_of_its_own() -> None:
    text = "ماكرون وبوتين"
    tokens = split_at(tokenize(text, text, 0, len(text)), [8])
    assert [(one.start, one.end, one.text) for one in tokens] == [(0, 6, "ماكرون"), (7, 8, "و"), (8, 13, "بوتين")]


@pytest.mark.parametrize(
    ("title", "code", "expected"),
    [
        ("시진핑(習近平) 중국 국가주석과 이재명 대통령이 회담했다", "ko", [["lee-jae-myung", "xi-jinping"]]),
        ("이재명 대통령, 알샤라(43) 시리아 대통령과 회담", "ko", [["ahmed-al-sharaa", "lee-jae-myung"]]),
        ("加拿大總理卡尼（Mark Carney）與習近平會談", "zh", [["mark-carney", "xi-jinping"]]),
    ],
)
def test_a_name_goes_on_behind_its_other_spelling_in_brackets(
    rules: Detector, title: str, code: str, expected: list[list[str]]
) -> None:
    day = datetime(2026, 2, 5, tzinfo=UTC)
    assert leaders(rules, Article(id="1", title=title, language=code, published=day)) == expected


@pytest.mark.parametrize(
    ("title", "summary", "expected"),
    [
        ("Nawrocki przybył do Pekinu", "Spotka się z Xi Jinpingiem.", [["karol-nawrocki", "xi-jinping"]]),
        ("Xi Jinping przyjmie gości", "Xi spotka się z delegacją. Porozmawia z Xi Jinpingiem.", []),
    ],
)
def test_a_verb_without_a_subject_has_that_of_the_sentence_before(
    rules: Detector, title: str, summary: str, expected: list[list[str]]
) -> None:
    article = Article(id="1", title=title, summary=summary, language="pl", published=datetime(2026, 2, 5, tzinfo=UTC))
    assert leaders(rules, article) == expected


def test_a_word_keeps_its_vowel_signs() -> None:
    text = "मोदी ने पुतिन से मुलाकात की।"
    assert [one.text for one in tokenize(text, text, 0, len(text))] == ["मोदी", "ने", "पुतिन", "से", "मुलाकात", "की", "।"]


def test_a_name_with_one_more_vowel_sign_is_another_word(detector: Detector) -> None:
    day = datetime(2026, 2, 5, tzinfo=UTC)
    for title, expected in (
        ("चांसलर मर्ज से मिले पुतिन", [["friedrich-merz", "vladimir-putin"]]),
        ("पुतिन की मर्जी से चांसलर मर्जी मिले", []),
    ):
        assert leaders(detector, Article(id="1", title=title, language="hi", published=day)) == expected


#: Files outside the language's own folder that have words for each language, under its code.
SHARED = (
    "monitor/assemble/claims/data/alone.yaml",
    "monitor/assemble/claims/data/notices.yaml",
    "monitor/assemble/claims/data/repeats.yaml",
)
ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("file", SHARED)
def test_every_language_has_its_words_in_the_files_of_all_languages(file: str) -> None:
    missing = sorted(bundled_languages().keys() - read_data_file(ROOT / file, dict[str, Any]).keys())
    assert not missing, f"add a line to {file} for each of {', '.join(missing)}"


@pytest.mark.parametrize("code", sorted(bundled_languages().keys() - {"en"}))
def test_every_language_has_names_and_sentences(code: str) -> None:
    names = ROOT / "monitor/watchlist/data"
    needed = (
        names / "aliases" / f"{code}.yaml",
        names / "states" / f"names.{code}.yaml",
        ROOT / "tests/monitor/detect/catalogue" / f"news-{code}.yaml",
    )
    missing = [str(path.relative_to(ROOT)) for path in needed if not path.exists()]
    assert not missing, f"write {', '.join(missing)} as CONTRIBUTING.md says under 'Add a language'"
    assert code in read_data_file(names / "titles.yaml", dict[str, Any])["words"], f"add the titles of {code}"


@pytest.mark.parametrize("code", sorted(bundled_languages()))
def test_every_language_has_a_calendar_frames_and_words_for_what_did_not_happen(code: str) -> None:
    language = bundled_languages()[code]
    assert language.calendar is not None
    assert language.frames
    told = {status for _, status in _statuses(code)}
    assert {"cancelled", "postponed", "denied"} <= told


def _statuses(code: str) -> list[tuple[str, str]]:
    return [(cue.words, cue.of.status) for cues in bundled_languages()[code].cues._meanings.values() for cue in cues]

"""What the engine does for languages other than English: undated articles, names that the roster does not spell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.detect import Detector
from monitor.detect.text.tokens import split_at, tokenize
from monitor.detect.vocabulary.language import bundled_languages
from monitor.records import Article


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


@pytest.mark.parametrize("code", sorted(bundled_languages()))
def test_every_language_has_a_calendar_frames_and_words_for_what_did_not_happen(code: str) -> None:
    language = bundled_languages()[code]
    assert language.calendar is not None
    assert language.frames
    told = {status for _, status in _statuses(code)}
    assert {"cancelled", "postponed", "denied"} <= told


def _statuses(code: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for bucket in bundled_languages()[code].cues._by_first.values():
        found += [(cue.words, cue.of.status) for _, cues in bucket for cue in cues]
    return found

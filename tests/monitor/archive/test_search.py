"""Test that search finds events by words in every script, and leaders by any of their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.archive import EventFilters, LeaderNames, archive_queries
from monitor.archive.search import fold
from monitor.watchlist import bundled
from tests.monitor.archive.samples import archive, event, source

NAMES = LeaderNames(bundled())


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    return archive(
        tmp_path_factory.mktemp("search"),
        event("gas", sources=(source(1, "Gas pipeline talks resume"),)),
        event("chinese", "macron xi", 1, sources=(source(1, "两国元首讨论贸易与访问计划", language="zh"),)),
        event("arabic", "macron merz", 2, sources=(source(1, "محادثات حول الطَّاقَة في باريس", language="ar"),)),
        event("russian", "merz modi", 3, sources=(source(1, "Лидеры обсудили поставки зерна", language="ru"),)),
        event("thai", "macron modi", 4, sources=(source(1, "ผู้นำหารือเรื่องการค้า", language="th"),)),
        event("eu", "merz macron", 5, brief="They spoke of the EU budget [1]."),
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("pipeline", {"gas"}),
        ("PIPELINE gas", {"gas"}),
        ("pipelin", {"gas"}),
        ("贸易", {"chinese"}),
        ("元首讨论", {"chinese"}),
        ("元", {"chinese"}),
        ("الطاقة", {"arabic"}),
        ("ЗЕРНА", {"russian"}),
        ("การค้า", {"thai"}),
        ("EU budget", {"eu"}),
        ("xi pipeline", {"gas"}),
        ("macron 贸易", {"chinese"}),
        ("pipeline 贸易", set()),
        ("zebra", set()),
        ("!!! ???", set()),
        ('"; DROP TABLE events; --', set()),
        ("NEAR(gas pipeline)", set()),
    ],
)
def test_words_of_every_script(found, text, wanted):
    page = archive_queries.events(found, NAMES, EventFilters(q=text))
    assert {entry.event.event_id for entry in page.entries} == wanted


@pytest.mark.parametrize(
    "name", ["putin", "Vladimir Putin", "Пу́тин", "Путин", "普京", "普丁", "بوتين", "プーチン", "POUTINE"]
)
def test_a_leader_by_any_name(found, name):
    assert NAMES.ask(name).leaders == (frozenset({"vladimir-putin"}),)
    page = archive_queries.events(found, NAMES, EventFilters(q=name))
    assert {entry.event.event_id for entry in page.entries} == {"gas"}


def test_two_names_are_both_asked_for(found):
    page = archive_queries.events(found, NAMES, EventFilters(q="xi macron"))
    assert [entry.event.event_id for entry in page.entries] == ["chinese"]


def test_names_are_suggested_from_their_beginning():
    assert "emmanuel-macron" in NAMES.suggest("macr")
    assert NAMES.suggest("") == []


@given(st.text(max_size=60))
@pytest.mark.slow
def test_no_question_breaks_the_search(text):
    question = NAMES.ask(text)
    assert all(word.isalnum() or len(word) > 0 for word in question.words)
    assert fold(fold(text)) == fold(text) or not text.isascii()


@given(st.text(alphabet="ab\"'*()^-:é普", max_size=20))
@pytest.mark.slow
def test_no_sign_reaches_the_engine(tmp_path_factory, text):
    found = archive(tmp_path_factory.mktemp("signs"), event())
    archive_queries.events(found, NAMES, EventFilters(q=text))
    found.close()

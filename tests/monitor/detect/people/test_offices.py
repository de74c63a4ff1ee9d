"""Test that each language finds the holder of an office by title and state alone, for every state of the roster."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from monitor.detect import Detector
from monitor.records import Article
from monitor.watchlist import Role, Watchlist, bundled
from monitor.yaml_text import read_data_file

WRITTEN = datetime(2026, 3, 18, 12, tzinfo=UTC)


class Headlines(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Headlines of one language that mean the holders of an office: its role, and words of its title in the roster."""

    language: str
    role: Role
    title: str
    headlines: tuple[str, ...]


HEADLINES = read_data_file(Path(__file__).with_name("offices.yaml"), list[Headlines])
#: Two presidents share the office.
JOINT = {"NI"}
#: "Bertemu Presiden Montenegro", "モンテネグロ首相": the prime minister of Portugal has that surname.
NAMESAKES = {("id", "ME")}


def holders(watchlist: Watchlist, role: Role, title: str) -> dict[str, str]:
    """The leader who holds an office with this title, by state."""
    return {
        office.country: leader.id
        for leader in watchlist.leaders.values()
        for office in leader.offices
        if office.role == role and office.covers(WRITTEN.date()) and title in office.title
    }


@pytest.mark.slow
@pytest.mark.parametrize("asked", HEADLINES, ids=lambda one: f"{one.language} {one.title}")
def test_title_and_state_mean_the_office_holder(rules: Detector, asked: Headlines) -> None:
    watchlist = bundled()
    language = asked.language
    missed = []
    for country, leader in holders(watchlist, asked.role, asked.title).items():
        state = watchlist.states.get(country)
        if state is None or country in JOINT or (language, country) in NAMESAKES:
            continue
        for headline in asked.headlines:
            forms = state.names.get(language, ()) if "{name}" in headline else state.adjectives.get(language, ())[:1]
            said = [headline.format(name=form, adjective=form) for form in forms]
            articles = [Article(id="1", title=one, language=language, published=WRITTEN) for one in said]
            if articles and not any(leader in rules.explain(one).leaders for one in articles):
                missed.append(said[0])
    assert not missed


@pytest.mark.parametrize(
    ("summary", "found"),
    [
        ("We wtorek prezydent spotkał się z Emmanuelem Macronem.", True),
        ("Prezydent Warszawy Rafał Trzaskowski spotkał się z Emmanuelem Macronem.", False),
    ],
)
def test_a_title_without_an_article_means_a_leader_named_before_unless_a_place_follows(
    rules: Detector, summary: str, found: bool
) -> None:
    article = Article(id="1", title="Nawrocki o budżecie", summary=summary, language="pl", published=WRITTEN)
    assert bool(rules.detect(article)) is found

"""Test that each language finds the holder of an office by title and state alone, for every state of the roster."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.detect import Detector
from monitor.records import Article
from monitor.watchlist import Role, Watchlist, bundled

WRITTEN = datetime(2026, 3, 18, 12, tzinfo=UTC)
#: The role of an office, and words of its title in the roster.
PRESIDENT: tuple[Role, str] = ("head_of_state", "President")
PREMIER: tuple[Role, str] = ("head_of_government", "Prime Minister")
#: Headlines, with `{name}` for a state's name in the basic form, `{adjective}` for an adjective.
HEADLINES: dict[tuple[str, tuple[Role, str]], tuple[str, ...]] = {
    ("en", PRESIDENT): ("{adjective} president meets Modi", "Modi meets the president of {name}"),
    ("es", PRESIDENT): ("Modi recibe al presidente {adjective}", "Modi recibe al presidente de {name}"),
    ("fr", PRESIDENT): ("Modi reçoit le président {adjective}", "Modi reçoit le président de {name}"),
    ("it", PRESIDENT): ("Modi riceve il presidente {adjective}",),
    ("pt", PRESIDENT): ("Modi recebe o presidente {adjective}", "Modi recebe o presidente de {name}"),
    ("nl", PRESIDENT): ("Modi ontvangt de {adjective} president",),
    ("de", PRESIDENT): ("Modi trifft den {adjective} Präsidenten",),
    ("ja", PRESIDENT): ("モディ首相が{name}大統領と会談",),
    ("ko", PRESIDENT): ("모디 총리, {name} 대통령과 회담",),
    ("tr", PRESIDENT): ("Modi, {name} Cumhurbaşkanı ile görüştü",),
    ("id", PRESIDENT): ("Modi bertemu Presiden {name}",),
    ("ar", PRESIDENT): ("مودي يستقبل رئيس {name}",),
    ("fa", PRESIDENT): ("دیدار مودی با رئیس جمهور {name}",),
    ("hi", PRESIDENT): ("मोदी ने {name} के राष्ट्रपति से मुलाकात की",),
    ("zh", PREMIER): ("习近平会见{name}总理",),
    ("ru", PREMIER): ("Лукашенко принял премьер-министра {name}",),
    ("uk", PREMIER): ("Стубб зустрівся з прем'єром {name}",),
    ("pl", PREMIER): ("Nawrocki spotkał się z premierem {name}",),
    ("it", PREMIER): ("Mattarella riceve il primo ministro di {name}",),
    ("de", PREMIER): ("Stubb trifft den {adjective} Ministerpräsidenten",),
}
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
@pytest.mark.parametrize(("language", "office"), HEADLINES)
def test_title_and_state_mean_the_office_holder(rules: Detector, language: str, office: tuple[Role, str]) -> None:
    watchlist = bundled()
    missed = []
    for country, leader in holders(watchlist, *office).items():
        state = watchlist.states.get(country)
        if state is None or country in JOINT or (language, country) in NAMESAKES:
            continue
        for headline in HEADLINES[language, office]:
            forms = state.names.get(language, ()) if "{name}" in headline else state.adjectives.get(language, ())[:1]
            said = [headline.format(name=form, adjective=form) for form in forms]
            articles = [Article(id="1", title=one, language=language, published=WRITTEN) for one in said]
            if articles and not any(leader in rules.explain(one).leaders for one in articles):
                missed.append(said[0])
    assert not missed

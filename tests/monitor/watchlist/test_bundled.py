"""Test the bundled roster as a whole: coverage, valid names, no ambiguity."""

from __future__ import annotations

import shutil
import sys
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

from monitor import yaml_text
from monitor.watchlist import Role, bundled, plain, slug
from monitor.watchlist.check import warnings
from monitor.watchlist.names import is_slug
from tests.stopwatch import seconds

PEOPLE = bundled()
#: The module; the package has a function of that name.
load_module = import_module("monitor.watchlist.load")


@pytest.mark.parametrize("day", [date(2005, 6, 1), date(2015, 6, 1), date(2026, 6, 1)])
def test_at_least_190_states_have_a_leader(day: date) -> None:
    led = {
        office.country
        for one in PEOPLE.serving(day)
        for office in PEOPLE.offices_on(one, day)
        if PEOPLE.states[office.country].kind == "state"
    }
    assert len(led) >= 190


@pytest.mark.parametrize(
    "group",
    [
        "US CN RU GB FR DE IT CA JP IN BR ZA MX ID TR SA AR AU KR",  # G20
        "BE NL ES PL SE FI DK NO CZ SK HU RO BG GR HR SI EE LV LT AL PT IE AT",  # NATO and EU
        "KZ KG TJ UZ PK IR BY AM AZ GE MD UA TM",  # SCO and the post-Soviet states
        "TH VN MY SG PH KH LA MM BN",  # ASEAN
        "IL EG JO SY LB QA AE KW OM BH YE DZ MA TN",  # Middle East and North Africa
    ],
)
def test_the_big_groups_have_an_executive_leader_in_every_year(group: str) -> None:
    nobody = [
        (code, year)
        for year in range(2000, 2027)
        for code in group.split()
        if PEOPLE.holder_of_title(code, "leader", date(year, 10, 1)) is None
    ]
    # Yemen's and Lebanon's posts, and Czech, Croatian or Greek ones, do not fall vacant on a first of October.
    assert nobody == []


def test_every_un_member_of_the_five_permanent_has_both_posts_or_one_of_both() -> None:
    roles: dict[str, tuple[Role, ...]] = {
        "US": ("head_of_state",),
        "CN": ("head_of_state", "head_of_government", "supreme_leader"),
        "RU": ("head_of_state", "head_of_government"),
        "GB": ("head_of_state", "head_of_government"),
        "FR": ("head_of_state", "head_of_government"),
    }
    for code, held in roles.items():
        for role in held:
            assert len(PEOPLE.holders(code, role, date(2019, 9, 1))) == 1, (code, role)


def test_ids_are_slugs_and_unique_enough_to_type() -> None:
    assert all(is_slug(one) for one in PEOPLE.leaders)
    own_slug = [leader for leader in PEOPLE.leaders.values() if leader.id == slug(leader.name)]
    assert len(own_slug) > 0.98 * len(PEOPLE.leaders)


@pytest.mark.parametrize(
    "identifier",
    [
        "vladimir-putin",
        "xi-jinping",
        "ursula-von-der-leyen",
        "mohammed-bin-salman",
        "kim-jong-un",
        "lee-jae-myung",
        "volodymyr-zelensky",
        "recep-tayyip-erdogan",
        "luiz-inacio-lula-da-silva",
        "viktor-orban",
        "aleksandar-vucic",
        "alexander-lukashenko",
        "abdel-fattah-el-sisi",
        "kassym-jomart-tokayev",
        "gurbanguly-berdimuhamedov",
        "margrethe-ii",
        "mohammed-vi",
        "pope-leo-xiv",
        "ahmed-al-sharaa",
        "nguyen-xuan-phuc",
        "mohamed-bin-zayed",
        "faure-gnassingbe",
        "sauli-niinisto",
    ],
)
def test_the_usual_english_short_form_is_in_the_id(identifier: str) -> None:
    assert identifier in PEOPLE.leaders


def test_names_are_there_with_and_without_diacritics() -> None:
    for leader in PEOPLE.leaders.values():
        texts = {alias.text for alias in leader.aliases}
        assert leader.name in texts
        assert plain(leader.name) in texts


@pytest.mark.parametrize(
    ("alias", "identifier"),
    [
        ("Zelenskyy", "volodymyr-zelensky"),
        ("Zelenskiy", "volodymyr-zelensky"),
        ("Erdoğan", "recep-tayyip-erdogan"),
        ("MBS", "mohammed-bin-salman"),
        ("Mohammed bin Zayed", "mohamed-bin-zayed"),
        ("Lukashenka", "alexander-lukashenko"),
        ("Путиным", "vladimir-putin"),
        ("Зеленского", "volodymyr-zelensky"),
        ("Макрону", "emmanuel-macron"),
        ("Лукашенко", "alexander-lukashenko"),
        ("Обаму", "barack-obama"),
        ("Зеленським", "volodymyr-zelensky"),
        ("普京", "vladimir-putin"),
        ("習近平", "xi-jinping"),
        ("川普", "donald-trump"),
        ("プーチン", "vladimir-putin"),
        ("시진핑", "xi-jinping"),
        ("أردوغان", "recep-tayyip-erdogan"),
        ("Poutine", "vladimir-putin"),
        ("Selenskyj", "volodymyr-zelensky"),
        ("Lee Jae Myung", "lee-jae-myung"),
    ],
)
def test_usual_spellings_are_known(alias: str, identifier: str) -> None:
    assert alias in {one.text for one in PEOPLE.leaders[identifier].aliases}


@pytest.mark.parametrize(
    ("identifier", "alias"),
    [
        ("xi-jinping", "Xi"),
        ("kim-jong-un", "Kim"),
        ("lee-jae-myung", "Lee"),
        ("theresa-may", "May"),
        ("antonio-costa", "Costa"),
        ("park-geun-hye", "Park"),
        ("moon-jae-in", "Moon"),
        ("gordon-brown", "Brown"),
        ("simon-harris", "Harris"),
        ("hu-jintao", "Hu"),
    ],
)
def test_common_words_count_only_with_support(identifier: str, alias: str) -> None:
    assert [one.strength for one in PEOPLE.leaders[identifier].aliases if one.text == alias] == ["weak"]


@pytest.mark.parametrize(
    "identifier", ["vladimir-putin", "ilham-aliyev", "serzh-sargsyan", "emmanuel-macron", "viktor-orban"]
)
def test_the_surname_of_the_well_known_stands_alone(identifier: str) -> None:
    family = PEOPLE.leaders[identifier].name.split()[-1]
    assert [one.strength for one in PEOPLE.leaders[identifier].aliases if one.text == family] == ["surname"]


def test_no_place_is_a_leader_by_itself() -> None:
    places = {plain(name).lower() for state in PEOPLE.states.values() for name in (*state.names["en"], state.capital)}
    strong = {
        alias.text.lower() for one in PEOPLE.leaders.values() for alias in one.aliases if alias.strength != "weak"
    }
    assert strong & places == set()


def test_no_first_name_is_a_leader_by_itself() -> None:
    first = {
        "john",
        "donald",
        "james",
        "ali",
        "thomas",
        "mohammed",
        "hassan",
        "maria",
        "paul",
        "jean",
        "albert",
        "francis",
    }
    strong = {
        alias.text.lower() for one in PEOPLE.leaders.values() for alias in one.aliases if alias.strength != "weak"
    }
    assert strong & first == set()


def test_warnings_are_only_the_disputed_presidencies_of_history() -> None:
    said = warnings(PEOPLE, date(2026, 3, 1))
    assert sorted(line[:2] for line in said if line[2:3] == ":") == ["CI", "MG"]
    assert not [line for line in said if "share the name" in line]


def test_most_wanted_leaders_have_a_wikidata_id() -> None:
    for identifier in ("vladimir-putin", "xi-jinping", "donald-trump", "emmanuel-macron", "volodymyr-zelensky"):
        assert PEOPLE.leaders[identifier].wikidata
    known = [leader.wikidata for leader in PEOPLE.leaders.values() if leader.wikidata]
    assert len(known) >= 350
    assert len(set(known)) == len(known)


def test_each_state_has_a_name_and_each_office_a_state() -> None:
    assert all(state.name and state.capital for state in PEOPLE.states.values())
    assert {office.country for leader in PEOPLE.leaders.values() for office in leader.offices} <= PEOPLE.states.keys()


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("US", ["U.S.", "USA", "United States", "America"]),
        ("GB", ["UK", "Britain", "United Kingdom"]),
        ("KP", ["North Korea", "DPRK"]),
        ("KR", ["South Korea", "ROK"]),
        ("AE", ["UAE", "United Arab Emirates"]),
        ("CD", ["DRC", "Democratic Republic of Congo"]),
        ("CZ", ["Czechia", "Czech Republic"]),
    ],
)
def test_states_are_known_by_their_short_names(code: str, names: list[str]) -> None:
    assert set(names) <= set(PEOPLE.states[code].names["en"])


@pytest.mark.parametrize("language", ["en", "ru", "uk", "zh", "es", "fr", "de", "pt", "it", "tr", "ar", "ja", "ko"])
def test_no_two_states_share_a_name(language: str) -> None:
    seen: dict[str, str] = {}
    for state in PEOPLE.states.values():
        for name in state.names.get(language, ()):
            assert seen.setdefault(name, state.code) == state.code, name
    assert len(seen) >= 195


@pytest.mark.parametrize(
    ("language", "name", "code"),
    [
        ("ru", "России", "RU"),
        ("ru", "Казахстана", "KZ"),
        ("uk", "Польщі", "PL"),
        ("zh", "俄罗斯", "RU"),
        ("de", "Türkei", "TR"),
    ],
)
def test_states_are_known_in_other_languages(language: str, name: str, code: str) -> None:
    assert name in PEOPLE.states[code].names[language]


def test_every_phrase_leads_to_an_office_that_exists() -> None:
    known = {(office.country, office.title) for leader in PEOPLE.leaders.values() for office in leader.offices}
    known |= {(office.country, office.role) for leader in PEOPLE.leaders.values() for office in leader.offices}
    for phrase in PEOPLE.phrases:
        assert phrase.means == "executive" or (phrase.country, phrase.means) in known, phrase


@pytest.mark.slow
def test_reading_the_roster_is_quick() -> None:
    assert seconds(bundled.__wrapped__) < 1.5


def test_what_was_kept_of_the_roster_is_what_its_files_say() -> None:
    leaders, namesakes = load_module._bundled_leaders()
    assert dict(load_module.bundled.__wrapped__().leaders) == leaders
    assert set(load_module.bundled.__wrapped__().namesakes) <= set(namesakes)


def test_a_changed_file_of_the_roster_counts_although_the_roster_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    shutil.copytree(load_module.DATA, data)
    monkeypatch.setattr(load_module, "DATA", data)
    monkeypatch.setattr(yaml_text, "_PACKAGE", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    load_module.bundled.__wrapped__()
    assert (data / "__pycache__" / "roster.parsed").exists()
    with monkeypatch.context() as nobody_reads:
        nobody_reads.setattr(load_module, "_bundled_leaders", None)
        before = load_module.bundled.__wrapped__()
    names = data / "aliases" / "ru.yaml"
    names.write_text(names.read_text("utf-8").replace("vladimir-putin: [", "vladimir-putin: [Вовка Тестов, "), "utf-8")
    after = load_module.bundled.__wrapped__()
    assert before.leaders.keys() == after.leaders.keys()
    assert {one.text for one in after.leaders["vladimir-putin"].aliases} - {
        one.text for one in before.leaders["vladimir-putin"].aliases
    } == {"Вовка Тестов"}

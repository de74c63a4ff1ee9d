"""Test that names as users type them find the right leader or state."""

from __future__ import annotations

from datetime import date

import pytest

from monitor.watchlist import bundled
from monitor.watchlist.selection import UnknownNameError, name_index

DAY = date(2026, 2, 4)
INDEX = name_index(bundled())


@pytest.mark.parametrize(
    "typed", ["vladimir-putin", "Putin", "PUTIN", "vladimir_putin", "Пу́тин", "Путин", "普京", "Vladimir Putin"]
)
def test_a_leader_is_found_by_any_name(typed: str) -> None:
    assert INDEX.select(typed).leaders == {"vladimir-putin"}
    assert INDEX.leader(typed, DAY) == "vladimir-putin"


@pytest.mark.parametrize(
    ("typed", "code"), [("Russia", "RU"), ("UK", "GB"), ("Германия", "DE"), ("fr", "FR"), ("NATO", "NATO")]
)
def test_a_state_or_body_is_found_by_name_and_code(typed: str, code: str) -> None:
    assert INDEX.country(typed) == code
    assert code in INDEX.select(typed).countries


def test_of_several_the_one_in_office_is_meant() -> None:
    assert INDEX.leader("trump", DAY) == "donald-trump"
    with pytest.raises(UnknownNameError, match="kim-jong-un"):
        INDEX.leader("Kim", date(2026, 6, 1))


@pytest.mark.parametrize(("typed", "hint"), [("putn", "vladimir-putin"), ("Grmany", "DE"), ("zzzz", "watchlist show")])
def test_a_name_that_nobody_bears_says_who_may_be_meant(typed: str, hint: str) -> None:
    with pytest.raises(UnknownNameError, match=hint):
        INDEX.select(typed)


def test_a_selection_fits_an_event_of_one_of_its_people_or_states() -> None:
    selection = INDEX.select("Russia")
    assert selection.fits([("xi-jinping", "CN"), ("vladimir-putin", "RU")])
    assert not selection.fits([("xi-jinping", "CN")])

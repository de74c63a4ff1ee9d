"""Test looking people up by day: handovers, gaps, acting holders, several offices at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from monitor.watchlist import Alias, Executive, Leader, Office, Role, State, Watch, Watchlist, bundled

TITLES = {"president": "head_of_state", "pm": "head_of_government", "leader": "executive"}


def office(title: str, role: Role, begin: str, end: str | None = None, country: str = "XA") -> Office:
    return Office(
        title=title,
        country=country,
        role=role,
        from_=date.fromisoformat(begin),
        to=date.fromisoformat(end) if end else None,
    )


def roster(*leaders: Leader, states: Sequence[State] = ()) -> Watchlist:
    by_code = {state.code: state for state in states or (State(code="XA"),)}
    return Watchlist({one.id: one for one in leaders}, by_code, titles=TITLES)


ADA = Leader(id="ada-one", name="Ada One", offices=(office("President", "head_of_state", "2001-05-01", "2005-05-01"),))
BEN = Leader(id="ben-two", name="Ben Two", offices=(office("President", "head_of_state", "2005-05-01", "2008-03-01"),))
CYD = Leader(id="cyd-three", name="Cyd Three", offices=(office("President", "head_of_state", "2008-06-01"),))


class TestDays:
    people = roster(ADA, BEN, CYD)

    def test_first_and_last_day_belong_to_the_term(self) -> None:
        assert self.people.office_on("ada-one", date(2001, 5, 1)) is not None
        assert self.people.office_on("ada-one", date(2001, 4, 30)) is None
        assert self.people.office_on("ada-one", date(2005, 5, 2)) is None

    def test_a_handover_day_has_two_holders_and_the_title_means_the_new_one(self) -> None:
        day = date(2005, 5, 1)
        assert [one.id for one in self.people.holders("XA", "head_of_state", day)] == ["ben-two", "ada-one"]
        holder = self.people.holder_of_title("XA", "president", day)
        assert holder is not None
        assert holder.id == "ben-two"

    def test_on_the_last_day_before_a_gap_the_title_still_means_the_leaver(self) -> None:
        holder = self.people.holder_of_title("XA", "president", date(2008, 3, 1))
        assert holder is not None
        assert holder.id == "ben-two"

    def test_in_a_gap_the_title_means_nobody(self) -> None:
        assert self.people.holder_of_title("XA", "president", date(2008, 4, 1)) is None
        assert self.people.holders("XA", "head_of_state", date(2008, 4, 1)) == ()

    def test_an_open_end_lasts(self) -> None:
        assert self.people.office_on("cyd-three", date(2040, 1, 1)) is not None

    def test_serving_lists_both_of_a_handover(self) -> None:
        assert self.people.serving(date(2005, 5, 1)) == {"ada-one", "ben-two"}
        assert self.people.serving(date(1999, 1, 1)) == frozenset()

    def test_who_takes_office_soon_or_left_it_lately_already_has_a_state(self) -> None:
        month = timedelta(days=30)
        days = {date(2008, 5, 10): "XA", date(2008, 4, 30): "", date(2001, 5, 1): "", date.max: "XA"}
        assert {day: self.people.state_of("cyd-three", day, month) for day in days} == days
        assert self.people.state_of("ada-one", date(2005, 5, 20), month) == "XA"
        assert self.people.state_of("ada-one", date.min, month) == ""
        assert self.people.state_of("nobody", date(2008, 7, 1), month) == ""

    def test_unknown_ids_states_and_words_are_nobody(self) -> None:
        assert self.people.office_on("nobody", date(2006, 1, 1)) is None
        assert self.people.offices_on("nobody", date(2006, 1, 1)) == ()
        assert self.people.holder_of_title("ZZ", "president", date(2006, 1, 1)) is None
        assert self.people.holder_of_title("XA", "plumber", date(2006, 1, 1)) is None

    def test_case_and_spaces_of_a_title_word_do_not_matter(self) -> None:
        holder = self.people.holder_of_title("XA", " President ", date(2006, 1, 1))
        assert holder is not None
        assert holder.id == "ben-two"


class TestSeveralOffices:
    def test_the_executive_office_comes_first(self) -> None:
        both = Leader(
            id="both",
            name="Both",
            offices=(
                office("President", "head_of_state", "2001-01-01"),
                office("PM", "head_of_government", "2003-01-01"),
            ),
        )
        state = State(code="XA", executives=(Executive(role="head_of_government"),))
        found = roster(both, states=[state]).office_on("both", date(2004, 1, 1))
        assert found is not None
        assert found.role == "head_of_government"

    def test_two_at_once_make_a_title_ambiguous(self) -> None:
        joint = [
            Leader(id=name, name=name, offices=(office("Member", "head_of_state", "2001-01-01"),))
            for name in ("a", "b")
        ]
        people = roster(*joint)
        assert people.holder_of_title("XA", "president", date(2002, 1, 1)) is None
        assert len(people.holders("XA", "head_of_state", date(2002, 1, 1))) == 2

    def test_the_title_of_the_post_itself_is_a_word(self) -> None:
        chair = Leader(id="chair", name="Chair", offices=(office("Chairman of the Board", "other", "2001-01-01"),))
        found = roster(ADA, chair).holder_of_title("XA", "chairman of the board", date(2002, 1, 1))
        assert found is not None
        assert found.id == "chair"

    def test_leader_falls_back_to_whoever_is_known(self) -> None:
        head = Leader(id="head", name="Head", offices=(office("PM", "head_of_government", "2001-01-01"),))
        found = roster(head).holder_of_title("XA", "leader", date(2002, 1, 1))
        assert found is not None
        assert found.id == "head"

    def test_president_does_not_fall_back(self) -> None:
        head = Leader(id="head", name="Head", offices=(office("PM", "head_of_government", "2001-01-01"),))
        assert roster(head).holder_of_title("XA", "president", date(2002, 1, 1)) is None

    def test_who_leads_a_state_changes_with_its_constitution(self) -> None:
        state = State(
            code="XA",
            executives=(Executive(role="head_of_state", to=date(2003, 1, 1)), Executive(role="head_of_government")),
        )
        assert state.executive_on(date(2003, 1, 1)) == "head_of_state"
        assert state.executive_on(date(2003, 1, 2)) == "head_of_government" == state.executive


class TestRealCases:
    people = bundled()

    def test_putin_and_medvedev_swap_posts(self) -> None:
        day = date(2012, 5, 7)
        found = self.people.office_on("vladimir-putin", day)
        assert found is not None
        assert (found.title, found.from_) == ("President", day)
        later = self.people.office_on("dmitry-medvedev", date(2012, 5, 9))
        assert later is not None
        assert later.title == "Prime Minister"

    def test_an_acting_president_is_the_president(self) -> None:
        holder = self.people.holder_of_title("VE", "president", date(2026, 1, 5))
        assert holder is not None
        assert holder.id == "delcy-rodriguez"
        office_held = self.people.office_on("delcy-rodriguez", date(2026, 1, 5))
        assert office_held is not None
        assert office_held.acting

    def test_before_his_inauguration_the_winner_of_an_election_holds_nothing(self) -> None:
        assert self.people.office_on("donald-trump", date(2016, 12, 1)) is None
        assert self.people.office_on("donald-trump", date(2022, 6, 1)) is None

    def test_the_presidency_of_bosnia_is_joint(self) -> None:
        assert len(self.people.holders("BA", "head_of_state", date(2025, 5, 9))) == 3
        assert self.people.holder_of_title("BA", "president", date(2025, 5, 9)) is None

    def test_the_leader_of_iran_is_not_confused_with_its_supreme_leader(self) -> None:
        holder = self.people.holder_of_title("IR", "president", date(2025, 1, 1))
        supreme = self.people.holder_of_title("IR", "supreme leader", date(2025, 1, 1))
        assert holder is not None
        assert supreme is not None
        assert holder.id != supreme.id

    def test_a_leader_may_move_from_a_state_to_a_body(self) -> None:
        assert [one.country for one in self.people.offices_on("mark-rutte", date(2024, 1, 1))] == ["NL"]
        assert [one.country for one in self.people.offices_on("mark-rutte", date(2025, 1, 1))] == ["NATO"]


class TestTracks:
    def people(self, **watch: frozenset[object]) -> Watchlist:
        return roster(ADA, BEN, CYD).watching(Watch(**watch))  # type: ignore[arg-type]

    def test_an_empty_watch_is_everybody(self) -> None:
        assert roster(ADA).tracks(["ada-one", "someone-else"])

    def test_a_watched_leader_makes_any_contact_wanted(self) -> None:
        people = self.people(leaders=frozenset({"ada-one"}))
        assert people.tracks(["ben-two", "ada-one"])
        assert not people.tracks(["ben-two", "cyd-three"])

    def test_a_pair_is_wanted_only_together(self) -> None:
        people = self.people(pairs=frozenset({frozenset({"ada-one", "ben-two"})}))
        assert people.tracks(["cyd-three", "ben-two", "ada-one"])
        assert not people.tracks(["ada-one", "cyd-three"])

    def test_a_watched_country_means_its_leaders(self) -> None:
        people = self.people(countries=frozenset({"XA"}))
        assert people.tracks(["ada-one"])
        assert not people.tracks(["unknown"])


def test_a_namesake_that_is_tracked_is_no_namesake() -> None:
    kim = Leader(id="kim-il-sung", name="Kim Il-sung", aliases=(Alias("Kim Il-sung", "en", "full"),))
    people = Watchlist(
        {kim.id: kim}, {"KP": State(code="KP")}, titles=TITLES, namesakes=("Kim Il Sung", "Kim Kardashian")
    )
    assert people.namesakes == ("Kim Kardashian",)


@pytest.mark.parametrize(
    "name", ["Melania Trump", "Kim Kardashian", "Xi'an", "Kim Yo Jong", "Jay Carney", "Hunter Biden"]
)
def test_the_bundled_namesakes_are_known(name: str) -> None:
    assert name in bundled().namesakes

"""Test facts with their sources, the lifecycle, the brief and the context."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from monitor.assemble import Assembly
from monitor.assemble.brief.phrases import phrases
from monitor.assemble.brief.sentences import numbers
from monitor.assemble.lifecycle.stages import ALLOWED
from monitor.assemble.pair_record import MAX_CONTACTS
from monitor.records import EVENT_STATUSES, Participant, Place
from tests.monitor.assemble.samples import WEDNESDAY, assemble, at, day, last, mention, run

BEIJING = Place(name="Beijing", country="CN")
MOSCOW = Place(name="Moscow", country="RU")
OFFICIAL = {"official": True, "speaks_for": "RU", "outlet": "kremlin", "publisher": "Kremlin"}


def planned(published=WEDNESDAY, when="2026-02-10", status="planned", **over):
    return mention(
        over.pop("who", "putin xi"),
        status,
        published,
        kind="meeting",
        medium="in_person",
        when=day(when) if when else None,
        **over,
    )


# -- facts ---------------------------------------------------------------------------------------------------------


def test_the_host_is_at_home():
    told = planned(place=MOSCOW)
    people = (msgspec.structs.replace(p, role="host" if p.country == "CN" else "") for p in told.participants)
    wrong = msgspec.structs.replace(told, participants=tuple(people))
    (event,) = assemble(wrong)
    assert {p.country: p.role for p in event.participants} == {"RU": "host", "CN": "visitor"}
    (abroad,) = assemble(msgspec.structs.replace(wrong, place=Place(name="Geneva", country="CH")))
    assert {p.country: p.role for p in abroad.participants} == {"RU": "", "CN": "host"}


def test_each_fact_has_the_sources_that_claim_it():
    (event,) = assemble(
        mention(article="a", when=day("2026-02-04")),
        mention(article="b", published=at(0, 1), kind="talks", medium="unknown"),
    )
    assert event.facts["medium"].sources == (1,)
    assert event.facts["status"].sources == (1, 2)
    assert event.facts["when"].value["start"] == "2026-02-04"


def test_more_independent_reports_win_and_the_other_value_stays_visible():
    reports = [
        mention(medium="phone", excerpt=f"{word} " * 40, published=at(0, n), outlet=word)
        for n, word in enumerate(("alpha beta", "gamma delta", "kappa zeta", "omega sigma"))
    ]
    (event,) = assemble(
        *reports, mention(medium="video", published=at(0, 5), excerpt="lone voice " * 40, outlet="Lone")
    )
    assert event.medium == "phone"
    assert [f.value for f in event.alternatives["medium"]] == ["video"]
    assert "Lone reports a video call [5]." in event.brief


def test_copies_do_not_outvote_reports():
    copies = [
        mention(medium="phone", excerpt="the same words in every paper " * 9, published=at(0, n / 10)) for n in range(5)
    ]
    own = [
        mention(medium="in_person", kind="talks", excerpt=f"{word} " * 40, published=at(0, 1))
        for word in ("alpha beta", "gamma delta")
    ]
    events = assemble(*copies, *own)
    assert {e.medium: e.reports for e in events} == {"phone": 1, "in_person": 2}


def test_the_official_word_comes_before_press():
    (event,) = assemble(
        mention(when=day("2026-02-04"), forum="SCO"),
        mention(when=day("2026-02-04"), forum="SCO", published=at(0, 1)),
        mention(when=day("2026-02-04"), medium="phone", published=at(0, 2), **OFFICIAL),
    )
    assert event.medium == "phone"
    assert event.facts["medium"].official


def test_a_narrower_date_is_no_disagreement():
    (event,) = assemble(
        planned(at(-8), "2026-02-10"),
        mention(
            "putin xi", "planned", at(-7), kind="meeting", medium="in_person", when=day("2026-02-09", "2026-02-15")
        ),
    )
    assert event.when == day("2026-02-10")
    assert "when" not in event.alternatives


def test_the_country_of_a_town_is_no_disagreement():
    (event,) = assemble(planned(place=BEIJING), planned(place=Place(name="", country="CN")))
    assert event.place == BEIJING
    assert "place" not in event.alternatives


def test_a_side_confirms_only_by_its_own_office():
    (event,) = assemble(mention(**OFFICIAL), mention(official=True, speaks_for="US", published=at(0, 1)))
    assert event.confirmed_by == ("vladimir-putin",)
    assert event.official
    assert "The Russian side confirms it [1]; the Chinese side has not." in event.brief


def test_a_denial_confirms_nothing():
    (event,) = assemble(planned(), planned(status="denied", when="", published=at(0, 1), **OFFICIAL))
    assert event.confirmed_by == ()


# -- lifecycle -----------------------------------------------------------------------------------------------------


def test_every_status_has_its_transitions():
    assert set(ALLOWED) == set(EVENT_STATUSES)
    assert set().union(*ALLOWED.values()) <= set(EVENT_STATUSES)


def test_a_contact_from_proposal_to_read_out():
    assembly = Assembly()
    told = run(
        assembly,
        planned(at(-9), "", "proposed"),
        planned(at(-8)),
        planned(at(-5), "", "postponed"),
        planned(at(-4), "2026-02-12"),
        planned(at(8), "2026-02-12", "ongoing"),
        planned(at(9), "2026-02-12", "held"),
    )
    (event,) = last(told).values()
    steps = [(c.changed["status"], c.at, c.article_id) for c in event.history if "status" in c.changed]
    assert [new for (_, new), _, _ in steps] == ["proposed", "planned", "postponed", "rescheduled", "ongoing", "held"]
    assert steps[1][1] == at(-8)
    assert steps[1][2] == event.sources[1].article_id


def test_hopes_do_not_turn_an_agreed_meeting_back():
    (event,) = assemble(planned(at(-3)), planned(at(-2), "", "proposed"))
    assert event.status == "planned"


def test_a_lone_report_that_a_sides_office_denies_is_denied():
    report = planned(at(), "2026-02-04", "held")
    denial = planned(at(0, 3), "2026-02-04", "denied", **OFFICIAL)
    (event,) = assemble(report, denial)
    assert event.status == "denied"
    (event,) = assemble(report, planned(at(0, 1), "2026-02-04", "held", official=True, speaks_for="CN"), denial)
    assert event.status == "held"
    assert [f.value for f in event.alternatives["status"]] == ["denied"]


def test_what_was_denied_before_the_contact_contradicts_no_report():
    refusal = planned(at(-3), "2026-02-04", "denied", **OFFICIAL)
    (event,) = assemble(planned(at(-4), "2026-02-04"), refusal, planned(at(0, 2), "2026-02-04", "held"),
                        planned(at(0, 3), "2026-02-04", "held"))  # fmt: skip
    assert event.status == "held"
    assert "status" not in event.alternatives


def test_a_denied_report_was_not_due():
    report, denial = planned(at(), "2026-02-04", "held"), planned(at(0, 3), "2026-02-04", "denied", **OFFICIAL)
    (event,) = assemble(report, denial)
    assert "it was said to be on Wednesday 4 February 2026 [1, 2]" in event.brief
    (event,) = assemble(planned(at(-1), "2026-02-04"), denial)
    assert "it was due on Wednesday 4 February 2026" in event.brief


def test_a_week_ends_with_its_report():
    week = msgspec.structs.replace(day("2026-02-02", "2026-02-08"), granularity="week", text="next week")
    plan = msgspec.structs.replace(planned(at(-3), when=None), when=week)
    (event,) = assemble(plan, planned(when=None, status="held"))
    assert (event.when.start, event.when.end) == (day("2026-02-02").start, WEDNESDAY.date())
    assert event.facts["when"].sources == (2,)
    assert "reported on Wednesday 4 February 2026 [2]" in event.brief


def test_the_days_of_a_visit_do_not_end_with_its_first_report():
    visit = msgspec.structs.replace(planned(at(-3), when=None), when=day("2026-02-03", "2026-02-06"))
    (event,) = assemble(visit, planned(when=None, status="held"))
    assert event.when.end == day("2026-02-06").end


def test_a_plan_does_not_know_who_called():
    plan = mention(status="planned", medium="phone", published=at(-1), when=day("2026-02-04"))
    caller = tuple(msgspec.structs.replace(p, role="caller" if p.country == "CN" else "") for p in plan.participants)
    plan = msgspec.structs.replace(plan, participants=caller)
    spoke = mention(medium="phone", when=day("2026-02-04"))
    (event,) = assemble(plan, spoke)
    assert {p.role for p in event.participants} == {""}
    (event,) = assemble(plan, msgspec.structs.replace(spoke, participants=caller))
    assert {p.country: p.role for p in event.participants} == {"CN": "caller", "RU": ""}


def test_a_third_country_is_no_place_of_those_who_nobody_says_have_met():
    talked = mention(kind="talks", medium="unknown", place=Place(name="", country="IR"))
    (event,) = assemble(talked)
    assert event.place is None
    (event,) = assemble(msgspec.structs.replace(talked, medium="in_person"))
    assert event.place == talked.place


def test_a_title_about_something_else_is_not_quoted():
    (event,) = assemble(mention(title="Wheat futures jump after the export ban is lifted"))
    assert "Wheat" not in event.brief
    (event,) = assemble(mention(title="Russia and China agree on wheat futures"))
    assert "agree on wheat futures" in event.brief


def test_a_correction_and_a_list_of_names_are_not_quoted():
    (event,) = assemble(mention(title="CORRECTED: Putin and Xi clash over wheat futures"))
    assert "wheat" not in event.brief
    (event,) = assemble(mention(title="Putin speaks with Xi, Mohammed bin Salman, Moscow says"))
    assert "bin Salman" not in event.brief


def test_a_name_within_a_word_names_nobody():
    (event,) = assemble(mention(title="Xinhua opens bureau as wheat futures jump"))
    assert "wheat" not in event.brief


def test_topics_are_named_as_a_sentence_names_them():
    (event,) = assemble(mention(topics=("Iran", "Middle East", "ceasefire")))
    assert "The topics are Iran, the Middle East and a ceasefire" in event.brief


def test_a_plan_whose_date_passes_unreported_becomes_unconfirmed_in_event_time():
    assembly = Assembly()
    run(assembly, planned(at(), "2026-02-10"))
    assert not assembly.advance(at(8)).events
    (event,) = assembly.advance(at(10)).events
    assert event.status == "unconfirmed"
    assert event.history[-1].at == at(10)
    (event,) = run(assembly, planned(at(11), "2026-02-10", "held"))
    assert event.status == "held"


def test_a_held_contact_never_becomes_unconfirmed():
    assembly = Assembly()
    run(assembly, planned(at(-5), "2026-02-04"), planned(at(), "2026-02-04", "held"))
    assert not assembly.advance(at(20)).events


def test_one_misread_report_does_not_end_the_talk_of_a_meeting_ahead():
    talk = [planned(at(n), "") for n in range(-6, 0)]
    misread = planned(at(0), "", "held")
    more = [planned(at(n), "") for n in range(1, 4)]
    (event,) = assemble(*talk, misread, *more)
    assert event.status == "planned"


# -- closing -------------------------------------------------------------------------------------------------------


def test_old_events_close_and_leave():
    assembly = Assembly()
    run(assembly, mention(when=day("2026-02-04")))
    (event,) = assembly.advance(at(40)).events
    assert event.closed
    assert assembly.open_events == 0
    assert event.history[-1].changed == {"closed": (None, True)}


@pytest.mark.slow
def test_memory_is_flat_over_a_years_events():
    assembly = Assembly()
    most = 0
    for n in range(365):
        assembly.advance(at(n))
        run(assembly, mention(published=at(n), when=day((WEDNESDAY + timedelta(days=n)).date().isoformat())))
        most = max(most, assembly.open_events)
    assert most <= 32
    assert sum(len(data) for _, data in assembly.states()) < 60_000


# -- the brief -----------------------------------------------------------------------------------------------------


def test_the_brief_of_the_issue():
    (event,) = assemble(
        mention(article="a", when=day("2026-02-04"), outlet="Herald", title="Putin and Xi hold video call"),
        mention(
            article="b",
            when=day("2026-02-04"),
            place=BEIJING,
            published=at(0, 1),
            title="Leaders speak",
            outlet="Herald",
        ),
    )
    assert event.brief == (
        "Russian President Vladimir Putin and Chinese President Xi Jinping held a video call on Wednesday 4 February "
        "2026 [1, 2]. Herald gives Beijing as the place [2]."
    )


@pytest.mark.parametrize(
    "status", ["proposed", "planned", "ongoing", "held", "postponed", "rescheduled", "cancelled", "denied"]
)
def test_every_status_has_a_sentence(status):
    (event,) = assemble(mention("putin xi", status))
    first = event.brief.split(" [1].")[0]
    assert "Vladimir Putin" in first
    assert "Xi Jinping" in first
    assert "{" not in first


def test_names_and_places_that_nobody_knows_are_left_out():
    (event,) = assemble(mention("putin xi", "held", kind="talks", medium="unknown"))
    assert event.brief.startswith(
        "Russian President Vladimir Putin and Chinese President Xi Jinping held talks, reported on Wednesday 4 February"
    )


def test_many_and_long_names_are_counted_and_cut():
    m = mention(
        "putin xi modi macron starmer merz zelensky murmu",
        kind="summit",
        medium="in_person",
        title="Putin and Modi reach agreement " * 40,
    )
    (event,) = assemble(m)
    assert "and 2 other leaders held a summit, reported on Wednesday 4 February 2026 [1]." in event.brief
    assert "…” [1]." in event.brief


@pytest.mark.parametrize(
    ("office", "country", "text"),
    [
        ("President", "RU", "Russian President V. P."),
        ("President of the European Commission", "EU", "European Commission President V. P."),
        ("Chairman of the Sovereignty Council", "SD", "Sudanese Sovereignty Council Chairman V. P."),
        ("Secretary General", "NATO", "NATO Secretary General V. P."),
        ("Crown Prince of Abu Dhabi", "AE", "Crown Prince of Abu Dhabi V. P."),
        ("President of the Council of Ministers", "TG", "Togolese Council of Ministers President V. P."),
        ("Pope", "VA", "Pope V. P."),
        ("", "RU", "V. P."),
        ("President", "XX", "President V. P."),
    ],
)
def test_leaders_are_named_by_state_and_office(office, country, text):
    assert phrases().full_name(Participant(leader="v-p", name="V. P.", country=country, office=office)) == text


def test_a_name_that_holds_its_office_is_not_told_twice():
    assert (
        phrases().full_name(Participant(leader="leo-xiv", name="Pope Leo XIV", country="VA", office="Pope"))
        == "Pope Leo XIV"
    )


def test_a_name_that_holds_its_state_is_not_told_twice():
    king = Participant(leader="abdullah-ii", name="Abdullah II of Jordan", country="JO", office="King")
    assert phrases().full_name(king) == "King Abdullah II of Jordan"


def test_of_two_lists_the_longer_one_is_told_unless_more_publishers_give_the_shorter():
    long = mention("putin xi modi", article="long", when=day("2026-02-04"))
    short = [mention("putin xi", published=at(hours=n + 1), when=day("2026-02-04")) for n in range(2)]
    (one,) = assemble(long, short[0])
    assert len(one.participants) == 3
    (two,) = assemble(long, *short)
    assert len(two.participants) == 2


def test_words():
    words = phrases()
    assert [words.ordinal(n) for n in (1, 3, 11, 21, 22, 113)] == ["first", "third", "11th", "21st", "22nd", "113th"]
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert numbers([9, 1, 9, 2]) == "[1, 2, 9]"
    assert words.day(WEDNESDAY.date()) == "Wednesday 4 February 2026"


# -- context -------------------------------------------------------------------------------------------------------


def test_context_counts_the_contacts_on_record_even_when_they_are_closed():
    assembly = Assembly()
    told = run(assembly, mention(published=at(-160), when=day("2025-08-28"), medium="phone"))
    told += run(assembly, mention(published=at(-33), when=day("2026-01-02"), medium="phone"))
    assembly.advance(at(-1))
    told += run(assembly, mention(published=at(), when=day("2026-02-04")))
    *_, event = last(told).values()
    assert event.context == (
        "On record here, it is their first contact since 2 January 2026, and their second call of 2026."
    )


def test_the_first_contact_on_record_has_no_context():
    (event,) = assemble(mention())
    assert event.context == ""


def test_a_contact_that_comes_to_be_known_later_changes_the_context_of_those_after_it():
    assembly = Assembly()
    told = run(assembly, mention(published=at(), when=day("2026-02-04")))
    told += run(assembly, mention(published=at(0, 1), when=day("2026-02-01")))
    contexts = {e.when.start.isoformat(): e.context for e in last(told).values() if e.when}
    assert contexts["2026-02-04"].startswith("On record here, it is their first contact since 1 February 2026")
    assert contexts["2026-02-01"] == ""


@pytest.mark.slow
def test_the_record_of_a_pair_is_bounded_and_its_counts_go_on():
    assembly = Assembly()
    told = []
    for n in range(MAX_CONTACTS + 8):
        date = (WEDNESDAY + timedelta(days=2 * n)).date().isoformat()
        assembly.advance(at(2 * n))
        told += run(assembly, mention(published=at(2 * n), when=day(date)))
    *_, event = last(told).values()
    assert f"and their {phrases().ordinal(MAX_CONTACTS + 8)} call of 2026." in event.context

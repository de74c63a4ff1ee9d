"""Test which mentions are about one contact, with cases as a newsroom meets them."""

from __future__ import annotations

import msgspec

from monitor.assemble import Assembly
from monitor.records import Participant, Place
from tests.monitor.assemble.samples import PUTIN, WEDNESDAY, XI, articles, assemble, at, day, last, mention, run

BEIJING = Place(name="Beijing", country="CN")
MOSCOW = Place(name="Moscow", country="RU")


def meeting(status="held", published=WEDNESDAY, **over):
    return mention(over.pop("who", "putin xi"), status, published, kind="meeting", medium="in_person", **over)


def talks(status="held", published=WEDNESDAY, **over):
    return mention(over.pop("who", "putin xi"), status, published, kind="talks", medium="unknown", **over)


def told_day(text):
    return msgspec.structs.replace(day(text), text=text)


def test_an_announcement_days_before_and_a_read_out_days_after_are_one_event():
    (event,) = assemble(
        mention(status="planned", published=at(-3), when=day("2026-02-04")),
        mention(status="ongoing", published=at(), when=day("2026-02-04")),
        mention(status="held", published=at(1), when=day("2026-02-04")),
        talks(published=at(4)),
    )
    assert len(event.sources) == 4
    assert event.status == "held"
    assert event.when is not None
    assert event.when.start.isoformat() == "2026-02-04"


def test_next_week_narrows_to_a_date():
    (event,) = assemble(
        meeting("planned", at(-7), when=day("2026-02-02", "2026-02-08")),
        meeting("planned", at(-3), when=day("2026-02-05")),
        meeting("held", at(1), when=day("2026-02-05")),
    )
    assert event.when is not None
    assert event.when.start == event.when.end


def test_a_rescheduled_meeting_stays_the_same_event():
    (event,) = assemble(
        meeting("planned", at(-3), when=day("2026-02-10")),
        meeting("postponed", at(-1)),
        meeting("planned", at(), when=day("2026-02-24")),
    )
    assert event.status == "rescheduled"
    assert event.when is not None
    assert event.when.start.isoformat() == "2026-02-24"
    assert [c.changed["status"][1] for c in event.history if "status" in c.changed] == [
        "planned",
        "postponed",
        "rescheduled",
    ]


def test_a_cancelled_meeting_stays_the_same_event():
    (event,) = assemble(meeting("planned", at(-3), when=day("2026-02-10")), meeting("cancelled", at()))
    assert event.status == "cancelled"


def test_another_date_without_a_word_of_postponement_is_another_meeting():
    assert len(assemble(meeting("planned", when=day("2026-02-10")), meeting("planned", when=day("2026-03-20")))) == 2


def test_calls_on_two_days_are_two_events():
    first, second = assemble(
        mention(published=at(), when=day("2026-02-04")), mention(published=at(1), when=day("2026-02-05"))
    )
    assert len(first.sources) == len(second.sources) == 1


def test_a_second_call_on_one_day_told_by_the_same_article_is_an_event_of_its_own():
    first = mention(article="a", kind="call", medium="phone", when=day("2026-02-04"))
    second = msgspec.structs.replace(mention(article="a", kind="call", medium="phone"), rule="again", status="planned")
    assert len(assemble(first, second)) == 2


def test_a_call_that_arranges_a_meeting_is_not_that_meeting():
    call, visit = assemble(
        mention(article="a", when=day("2026-02-04")),
        msgspec.structs.replace(
            mention(article="a"), kind="visit", medium="in_person", status="planned", place=BEIJING
        ),
        mention(article="b"),
        mention(article="c", kind="visit", medium="in_person", status="planned", published=at(2)),
    )
    assert (articles(call), articles(visit)) == ({"a", "b"}, {"a", "c"})


def test_medium_not_told_matches_both_but_a_call_is_no_meeting():
    assert len(assemble(mention(), talks())) == 1
    assert len(assemble(meeting(), talks())) == 1
    assert len(assemble(meeting(), mention())) == 2


def test_two_dates_for_one_unusual_place_told_on_one_day_are_a_disagreement():
    alaska, anchorage = Place(name="Alaska", country="US"), Place(name="Anchorage", country="US")
    (event,) = assemble(
        meeting("planned", when=day("2026-02-13"), place=alaska),
        meeting("planned", when=day("2026-08-15"), place=anchorage),
    )
    assert len(event.alternatives["when"]) == 1
    visits = [meeting("planned", when=day(date), place=MOSCOW) for date in ("2026-02-13", "2026-08-15")]
    assert len(assemble(*visits)) == 2


def test_a_bilateral_on_the_sidelines_is_no_part_of_the_summit():
    summit = mention("putin xi modi", "held", kind="summit", medium="in_person", forum="BRICS", when=day("2026-02-04"))
    bilateral = meeting(who="modi xi", forum="BRICS", when=day("2026-02-04"))
    assert len(assemble(summit, bilateral)) == 2


def test_meetings_at_two_summits_are_two_events():
    assert len(assemble(meeting("planned", forum="SCO"), meeting("planned", forum="BRICS"))) == 2


def test_the_same_pair_in_two_cities_on_one_day_is_two_meetings():
    assert len(assemble(meeting(place=BEIJING), meeting(place=MOSCOW))) == 2


def test_a_report_that_lacks_a_participant_joins_the_call_of_that_day():
    full = [mention("macron starmer merz zelensky", "held", when=day("2026-02-04"), kind="call") for _ in range(2)]
    less = mention("macron starmer zelensky", "held", when=day("2026-02-04"), kind="call")
    (event,) = assemble(*full, less)
    assert len(event.participants) == 4
    assert len(event.sources) == 3
    assert [len(f.value) for f in event.alternatives["participants"]] == [3]


def test_two_guests_who_were_to_meet_in_a_third_ones_state_met_there_with_the_host():
    plan = meeting("planned", at(-1), who="macron merz", when=day("2026-02-04"), place=MOSCOW)
    held = meeting(who="macron merz putin", when=day("2026-02-04"), place=MOSCOW)
    (event,) = assemble(plan, held)
    assert event.status == "held"
    assert len(event.participants) == 3


def test_two_who_met_in_another_state_or_on_another_day_met_without_the_host():
    three = meeting(who="macron merz putin", when=day("2026-02-04"), place=MOSCOW)
    assert len(assemble(meeting(who="macron merz", when=day("2026-02-04"), place=BEIJING), three)) == 2
    assert len(assemble(meeting(who="macron merz", when=day("2026-02-03"), place=MOSCOW), three)) == 2


def test_two_who_are_better_known_to_have_met_than_all_three_stand_for_themselves():
    two = [meeting(who="macron merz", when=day("2026-02-04"), place=MOSCOW) for _ in range(2)]
    assert len(assemble(*two, meeting(who="macron merz putin", when=day("2026-02-04"), place=MOSCOW))) == 2


def test_a_part_that_turns_out_to_be_another_contact_stands_for_itself_again():
    full = [mention("macron starmer merz zelensky", when=day("2026-02-04")) for _ in range(2)]
    less = mention("macron starmer zelensky", when=day("2026-02-04"), article="less")
    assembly = Assembly()
    told = run(assembly, less, *full)
    (whole,) = last(told).values()
    (gone,) = [e for e in told if e.merged_into]
    assert gone.event_id in whole.redirects

    # The article is corrected: its call was a day later.
    told += run(assembly, mention("macron starmer zelensky", when=day("2026-02-05"), article="less", revision=1))
    standing = last(told)
    assert articles(standing[whole.event_id]) == articles(whole) - {"less"}
    assert standing[whole.event_id].redirects == ()
    assert standing[gone.event_id].history[-1].changed["merged_into"] == (whole.event_id, None)


def test_a_background_mention_joins_the_contact_it_names_and_changes_nothing_else():
    held = meeting(published=at(), when=day("2026-02-04"), place=BEIJING)
    background = meeting("past", at(12), when=day("2026-02-04"))
    (event,) = assemble(held, background)
    assert (event.status, len(event.sources)) == ("held", 2)
    assert event.first_seen == at()


def test_a_country_that_one_article_names_does_not_part_a_meeting_from_its_plans():
    talked = [meeting("planned", at(-6 + n)) for n in range(5)]
    elsewhere = meeting("planned", at(-4, 1), place=Place(name="", country="US"))
    held = meeting(place=Place(name="Busan", country="KR"), when=day("2026-02-04"))
    (event,) = assemble(*talked, elsewhere, held)
    assert (event.status, len(event.sources)) == ("held", 7)


def test_a_country_that_half_of_the_articles_name_does():
    here = [meeting("planned", at(-3 + n), place=Place(name="", country="US")) for n in range(2)]
    held = meeting(place=Place(name="Busan", country="KR"), when=day("2026-02-04"))
    assert len(assemble(*here, held)) == 2


def test_a_visit_is_not_the_meeting_that_others_speak_of():
    visit = mention(status="planned", kind="visit", medium="in_person", place=Place(name="", country="US"))
    assert len(assemble(meeting("planned", at(-1)), meeting("planned", at(-1, 1)), visit)) == 2


def test_a_call_of_one_night_has_the_days_of_both_its_ends():
    plan = mention(status="planned", medium="phone", published=at(-1), when=told_day("2026-02-04"))
    held = mention(medium="phone", published=at(1, -9), when=told_day("2026-02-05"))
    (event,) = assemble(plan, held)
    assert event.status == "held"


def test_reports_of_one_call_name_the_days_of_both_its_ends_within_hours():
    evening = mention(medium="phone", published=at(0, 10), when=told_day("2026-02-04"))
    (event,) = assemble(evening, mention(medium="phone", published=at(0, 13), when=told_day("2026-02-05")))
    assert len(event.sources) == 2
    assert len(assemble(evening, mention(medium="phone", published=at(0, 20), when=told_day("2026-02-05")))) == 2


def test_a_call_told_overnight_without_a_day_is_that_of_today_on_the_next_morning():
    (event,) = assemble(
        mention(published=at(0, 10)),
        talks(published=at(1, -6), when=told_day("2026-02-05")),
        talks(published=at(1, -3), when=told_day("2026-02-04")),
    )
    assert len(event.sources) == 3


def test_a_call_told_two_days_ago_is_not_todays():
    assert len(assemble(mention(published=at()), mention(published=at(2), when=told_day("2026-02-06")))) == 2


def test_talk_of_a_visit_a_week_later_is_of_that_visit():
    visit = {"kind": "visit", "medium": "in_person", "when": None}
    (event,) = assemble(
        mention(published=at(), kind="visit", medium="in_person", when=day("2026-02-04")),
        mention(published=at(9), **visit),
    )
    assert len(event.sources) == 2


def test_a_bare_noun_days_before_the_reports_does_not_date_them():
    (event,) = assemble(
        talks(published=at(-3), assumed=True),
        mention(published=at(0, 10)),
        mention(published=at(1, -6), when=told_day("2026-02-05")),
    )
    assert len(event.sources) == 3


def test_the_eve_and_the_day_of_a_meeting_are_one_occasion():
    plan, held = meeting("planned", at(-1), when=told_day("2026-02-03")), meeting(when=told_day("2026-02-04"))
    (event,) = assemble(plan, held)
    assert (event.status, event.when and event.when.start.isoformat()) == ("held", "2026-02-04")


def test_meetings_three_days_apart_are_two():
    plan, held = meeting("planned", at(-3), when=told_day("2026-02-01")), meeting(when=told_day("2026-02-04"))
    assert len(assemble(plan, held)) == 2


def test_two_days_that_several_articles_name_each_are_two_meetings():
    first = [meeting(published=at(0, n), when=told_day("2026-02-04")) for n in (0, 1)]
    second = [meeting(published=at(1, n), when=told_day("2026-02-05")) for n in (0, 1)]
    assert len(assemble(*first, *second)) == 2


def test_the_days_of_a_visit_are_one_occasion():
    visit = {"kind": "visit", "medium": "in_person"}
    days = [mention(published=at(n, h), when=told_day(f"2026-02-0{4 + n}"), **visit) for n in range(3) for h in (0, 1)]
    (event,) = assemble(*days)
    assert len(event.sources) == 6


def test_a_call_under_way_at_noon_is_of_that_day():
    plan = mention(status="planned", medium="phone", published=at(-1), when=told_day("2026-02-03"))
    now = mention(status="ongoing", medium="phone", published=at(0))
    assert len(assemble(plan, now)) == 2


def test_a_report_the_day_after_is_of_the_contact_that_was_due():
    due = meeting("planned", at(-2), when=told_day("2026-02-03"), place=BEIJING)
    another = meeting(when=told_day("2026-02-04"), place=Place(name="Moscow", country="RU"))
    first, second = assemble(due, another, talks(published=at(hours=1)))
    assert (len(first.sources), first.status, len(second.sources)) == (2, "held", 1)


def test_a_bare_noun_amid_plans_is_talk_of_the_plan():
    plan = meeting("planned", at(-3), when=day("2026-02-05"))
    (event,) = assemble(plan, meeting(published=at(-2), assumed=True))
    assert (event.status, len(event.sources)) == ("planned", 2)
    assert "status" not in event.alternatives


def test_a_bare_noun_after_the_day_of_the_plan_is_a_report():
    (event,) = assemble(meeting("planned", at(-3), when=day("2026-02-03")), meeting(assumed=True))
    assert event.status == "held"


def test_bare_nouns_alone_are_reports():
    (event,) = assemble(meeting(assumed=True), meeting(published=at(1), assumed=True))
    assert (event.status, len(event.sources)) == ("held", 2)


def test_a_bare_noun_of_before_does_not_date_the_contact():
    (event,) = assemble(
        meeting("planned", at(-3)),
        meeting(published=at(-2), assumed=True),
        meeting(published=at()),
        meeting(published=at(1)),
    )
    assert event.status == "held"
    assert event.facts["status"].sources == (3, 4)


def test_a_bare_noun_is_not_what_was_denied():
    assert len(assemble(talks("denied", at(-2)), talks(assumed=True))) == 2


def test_a_visit_to_the_country_of_the_meeting_is_that_meeting():
    plan = meeting("planned", at(-1), place=BEIJING)
    visit = mention(status="planned", kind="visit", medium="in_person", place=Place(name="", country="CN"))
    assert len(assemble(plan, visit)) == 1


def test_a_year_that_contacts_are_counted_in_is_no_date():
    ninth = mention(medium="phone", when=day("2026-01-01", "2026-12-31"))
    (event,) = assemble(ninth)
    assert event.when is not None
    assert (event.when.granularity, event.when.end.isoformat()) == ("reported", "2026-02-04")


def test_background_of_a_contact_of_years_ago_never_becomes_news():
    old = meeting("past", at(), when=day("2018-06-09"))
    assert not assemble(old, meeting("past", at(1), when=day("2018-06-09")))
    (event,) = assemble(old, meeting("planned", at(1), when=day("2026-02-20")))
    assert (event.status, len(event.sources)) == ("planned", 1)


def test_background_does_not_turn_a_held_contact_back():
    (event,) = assemble(meeting(when=day("2026-02-04")), meeting("past", at(9), when=day("2026-02-04")))
    assert event.status == "held"


def test_hopes_after_a_contact_are_another_contact():
    assert len(assemble(meeting(when=day("2026-02-04")), meeting("proposed", at(2)))) == 2


def test_an_article_that_comes_late_finds_the_event_it_would_have_found():
    on_time = [
        meeting("planned", at(-3), when=day("2026-02-04")),
        meeting("held", at(), when=day("2026-02-04")),
        meeting("held", at(1)),
    ]
    (event,) = assemble(on_time[2], on_time[1], on_time[0])
    (expected,) = assemble(*on_time)
    assert articles(event) == articles(expected)
    assert event.status == "held"


def test_an_office_without_a_name_is_the_leader_of_that_state():
    named = mention("putin xi")
    office = msgspec.structs.replace(
        mention("putin xi"),
        participants=(PUTIN, Participant(leader="office:CN", name="President of China", country="CN")),
    )
    (event,) = assemble(named, office)
    assert {p.leader for p in event.participants} == {PUTIN.leader, XI.leader}


def test_two_leaders_of_one_state_are_not_the_same_leader():
    assert len(assemble(mention("putin modi"), mention("putin murmu"))) == 2


def test_one_leader_alone_is_no_contact():
    assert not Assembly().apply(mention("putin"))


def test_talk_of_a_meeting_months_later_is_another_occasion():
    assert len(assemble(meeting("proposed", at()), meeting("proposed", at(60)))) == 2


def test_a_merge_is_told_and_leaves_a_redirect():
    """Talk of a meeting and of one at the G20 look like two; then a report gives the date of the latter."""
    assembly = Assembly()
    told = run(
        assembly,
        meeting("planned", at(-9), article="talk"),
        meeting("planned", at(0, -2), article="forum", forum="G20"),
    )
    assert len(last(told)) == 2
    told += run(assembly, meeting("planned", at(0, -1), article="date", forum="G20", when=day("2026-02-10")))
    (event,) = last(told).values()
    (gone,) = [e for e in told if e.merged_into]
    assert gone.merged_into == event.event_id
    assert event.redirects == (gone.event_id,)
    assert gone.history[-1].changed["merged_into"] == (None, event.event_id)
    assert articles(event) == {"talk", "forum", "date"}


def test_a_split_is_told_under_a_new_id():
    """A correction takes a day back that had brought two reports together."""
    assembly = Assembly()
    told = run(
        assembly,
        meeting("planned", at(-9), article="talk"),
        meeting("planned", at(0, -2), article="forum", forum="G20"),
        meeting("planned", at(0, -1), article="date", forum="G20", when=day("2026-02-10")),
    )
    (before,) = last(told).values()
    told += run(assembly, mention("putin xi", "planned", at(0, -1), article="date", revision=1, when=day("2026-02-10")))
    after = last(told)
    assert before.event_id in after
    assert len(after) == 3
    assert not before.redirects or set(before.redirects).isdisjoint(after)


def test_the_seed_case_one_video_call_and_what_it_arranged():
    """One event for the call; the invitation and the meetings at summits are others; background is none."""
    call = {"kind": "call", "medium": "video"}
    events = assemble(
        mention(
            article="official", published=at(0, -4), when=day("2026-02-04"), official=True, speaks_for="RU", **call
        ),
        mention(article="wire", published=at(0, -3), when=day("2026-02-04"), place=BEIJING, **call),
        mention(article="copy", published=at(0, -2), **call),
        mention(article="phone", published=at(0, -1), kind="call", medium="phone"),
        talks(article="talks", published=at(0, 1)),
        talks(article="later", published=at(1)),
        msgspec.structs.replace(mention(article="invited", kind="visit", medium="in_person", status="proposed")),
        msgspec.structs.replace(
            mention(article="summits"), kind="meeting", medium="in_person", status="planned", forum="SCO"
        ),
        msgspec.structs.replace(
            mention(article="summits"), kind="meeting", medium="in_person", status="planned", forum="BRICS"
        ),
        meeting("past", at(1), article="history", when=day("2025-09-02")),
    )
    by_articles = {frozenset(articles(e)): e for e in events}
    assert len(events) == 4
    video = by_articles[frozenset({"official", "wire", "copy", "phone", "talks", "later"})]
    assert (video.status, video.medium) == ("held", "video")
    assert video.confirmed_by == ("vladimir-putin",)


def test_an_unsure_mention_that_joins_shapes_no_event():
    unsure = msgspec.structs.replace(meeting("planned", at(-1), place=MOSCOW), joins_only=True)
    (event,) = assemble(talks("planned", at(-1)), unsure, mention(published=at(), when=day("2026-02-04")))
    assert event.status == "held"
    assert len(event.sources) == 3


def test_an_undated_report_of_a_call_comes_within_four_days():
    dated = mention(when=day("2026-02-04"))
    assert len(assemble(dated, mention(published=at(4)))) == 1
    assert len(assemble(dated, mention(published=at(5)))) == 2
    assert len(assemble(mention(), mention(published=at(5)))) == 2
    met = meeting(when=day("2026-02-04"))
    assert len(assemble(met, meeting(published=at(5)))) == 1


def test_an_unsure_report_of_the_day_before_joins_no_call():
    sure = mention(when=day("2026-02-04"), medium="unknown", kind="talks")
    unsure = msgspec.structs.replace(
        mention(published=at(), when=told_day("2026-02-03"), medium="unknown", kind="talks"), joins_only=True
    )
    (event,) = assemble(sure, unsure)
    assert len(event.sources) == 1


def test_what_is_put_off_for_weeks_from_a_month_keeps_its_event():
    (event,) = assemble(
        meeting("planned", at(), when=day("2026-03-01", "2026-03-31")),
        meeting("postponed", at(10)),
        meeting("planned", at(20), when=day("2026-05-14")),
    )
    assert event.when is not None
    assert event.when.start.isoformat() == "2026-05-14"


def test_the_day_on_which_a_meeting_is_put_off_is_not_its_new_day():
    (event,) = assemble(
        meeting("planned", at(), when=day("2026-03-02")),
        meeting("postponed", at(3), when=day("2026-02-07")),
    )
    assert event.status == "postponed"
    assert event.when is None or event.when.start.isoformat() != "2026-02-07"


def test_a_visit_of_no_told_country_joins_talk_of_a_meeting():
    visit = mention("putin xi", "planned", at(2), kind="visit", medium="in_person")
    assert len(assemble(meeting("planned", when=day("2026-02-20"), place=BEIJING), visit)) == 1


def test_the_first_date_takes_over_talk_of_some_day():
    talk = meeting("proposed", at(-9))
    dated = mention("putin xi", "planned", at(), kind="visit", medium="in_person", when=day("2026-02-20"))
    (event,) = assemble(talk, msgspec.structs.replace(dated, place=BEIJING))
    assert event.status == "planned"
    undated = mention("putin xi", "planned", at(), kind="visit", medium="in_person")
    assert len(assemble(talk, msgspec.structs.replace(undated, place=BEIJING))) == 2


def test_a_meeting_that_is_moved_online_is_the_same_contact():
    plan = meeting("planned", at(-2), when=day("2026-02-04"), place=BEIJING)
    for status in ("planned", "held"):
        (event,) = assemble(plan, mention(status=status, medium="video", when=day("2026-02-04")))
        assert (event.status, event.medium) == (status, "video")
    assert event.place is None
    assert len(assemble(plan, mention(medium="phone", when=day("2026-02-04")))) == 2
    assert len(assemble(plan, mention(medium="video", published=at(-1), when=day("2026-02-03")))) == 2
    met = meeting("held", when=day("2026-02-04"))
    assert len(assemble(plan, met, mention(medium="video", when=day("2026-02-04")))) == 2


def test_this_year_said_with_the_report_of_a_call_is_another_contact():
    call = talks()
    later = meeting("planned", when=day("2026-02-04", "2026-12-31"))
    assert len(assemble(call, later)) == 2
    assert len(assemble(meeting("planned", at(-3), when=day("2026-02-01", "2026-02-28")), talks())) == 1


def test_what_was_reported_the_day_before_did_not_take_place_a_day_later():
    (event,) = assemble(
        meeting(published=at()),
        meeting(published=at(1), when=told_day("2026-02-04")),
        meeting(published=at(1, 5), when=told_day("2026-02-05")),
        meeting(published=at(1, 6), when=told_day("2026-02-05")),
        meeting(published=at(1, 2), when=told_day("2026-02-04")),
    )
    assert event.when is not None
    assert event.when.start.isoformat() == "2026-02-04"
    assert len(event.alternatives["when"]) == 1


def test_a_meeting_postponed_without_a_day_is_held_weeks_later():
    first = [
        meeting("planned", at(-30), when=day("2026-01-10"), place=BEIJING),
        meeting("postponed", at(-26)),
    ]
    (event,) = assemble(*first, meeting(published=at(), place=BEIJING))
    assert event.status == "held"
    (event,) = assemble(*first, meeting(published=at()))
    assert event.status == "held"
    assert [e.status for e in assemble(*first, meeting(published=at(), place=MOSCOW))] == ["postponed", "held"]
    assert [e.status for e in assemble(*first, meeting(published=at(40), place=BEIJING))] == ["postponed", "held"]


def test_a_new_day_ends_the_wait():
    (waiting, later) = assemble(
        meeting("planned", at(-30), when=day("2026-01-10")),
        meeting("postponed", at(-26)),
        meeting("planned", at(-20), when=day("2026-01-20")),
        meeting(published=at(10)),
    )
    assert (waiting.status, later.status) == ("rescheduled", "held")


def test_a_call_told_as_one_more_days_later_is_the_next_one():
    first = mention(published=at(-4), when=day("2026-01-31"))
    again = mention(published=at(-1), title="Putin and Xi speak again", article="second")
    late = mention(published=at(-1), title="How Putin and Xi spoke", article="second")
    assert len(assemble(first, again)) == 2
    assert len(assemble(first, late)) == 1
    undated = mention(published=at(-4))
    assert len(assemble(undated, again)) == 2


def test_late_reports_of_one_more_call_are_of_that_call():
    first = mention(published=at(-4), when=day("2026-01-31"), title="Putin and Xi speak again")
    assert len(assemble(first, mention(published=at(-1), title="Xi, Putin spoke again by phone"))) == 1


def test_a_report_ends_talk_of_a_call_at_any_time():
    told = [mention(status="proposed", published=at(days), medium="phone") for days in (0, 1, 2)]
    report = mention(published=at(3), medium="phone")
    (call, later) = assemble(*told, report, mention(status="proposed", published=at(6), medium="phone"))
    assert (call.status, later.status) == ("held", "proposed")


def test_a_single_report_does_not_end_a_plan_that_many_announce():
    told = [mention(status="planned", published=at(days), medium="phone") for days in (0, 1, 2)]
    report = mention(published=at(3), medium="phone")
    (event,) = assemble(*told, report, *(mention(status="planned", published=at(6), medium="phone") for _ in "ab"))
    assert event.status == "planned"


def test_a_call_that_was_only_floated_days_ago_is_not_the_talks_reported():
    floated = mention(status="proposed", medium="phone")
    assert len(assemble(floated, talks(published=at(2)))) == 1
    assert len(assemble(floated, talks(published=at(4)))) == 2


def test_what_is_under_way_was_not_over_days_ago():
    (event,) = assemble(*(meeting("ongoing", when=day(text)) for text in ("2026-02-04", "2026-01-27")))
    assert event.when is not None
    assert event.when.start.isoformat() == "2026-02-04"


def test_a_summit_of_two_names_is_the_summit_of_all_that_day():
    def summit(who, **over):
        return mention(who, kind="summit", medium="in_person", **over)

    paris = Place(name="Paris", country="FR")
    every = summit("macron merz starmer zelensky", place=paris)
    (event,) = assemble(every, summit("macron merz"))
    assert len(event.participants) == 4
    assert len(assemble(every, summit("macron merz", place=Place(name="Berlin", country="DE")))) == 2
    assert len(assemble(every, mention("macron merz", kind="meeting", medium="in_person"))) == 2


def test_a_meeting_on_a_later_day_of_an_announced_visit_is_part_of_it():
    visit = [
        meeting("planned", at(-5), when=day("2026-02-04", "2026-02-07")),
        mention("putin xi", "held", at(), kind="visit", medium="in_person", when=day("2026-02-04"), place=BEIJING),
    ]
    visit[0] = msgspec.structs.replace(visit[0], kind="visit")
    dinner = meeting(published=at(3), when=day("2026-02-07"))
    assert len(assemble(*visit, dinner)) == 1
    assert len(assemble(visit[1], dinner)) == 2
    assert len(assemble(*visit, meeting(published=at(6), when=day("2026-02-10")))) == 2


def test_two_who_met_alone_beside_the_meeting_of_three_are_an_event_of_their_own():
    three = [meeting(who="macron merz starmer", place=MOSCOW) for _ in range(2)]
    assert len(assemble(*three, meeting(who="macron merz", place=MOSCOW))) == 1
    alone = meeting(who="macron merz", place=MOSCOW, title="Macron meets Merz one-on-one after talks with Starmer")
    assert len(assemble(*three, alone)) == 2


def test_the_state_of_one_side_without_a_town_may_be_what_they_talk_about():
    held = [meeting(published=at(0, hours), place=MOSCOW) for hours in (1, 2, 3)]
    told = Place(name="", country="CN")
    assert len(assemble(*held, meeting("planned", at(), place=told))) == 1
    assert len(assemble(*held, meeting("planned", at(), place=BEIJING))) == 2
    assert len(assemble(*held, mention(status="planned", kind="visit", medium="in_person", place=told))) == 2


def test_what_may_be_a_report_of_the_day_before_joins_it():
    call = mention(medium="phone", when=day("2026-02-04"))
    unsure = mention(status="planned", published=at(1), medium="phone", statuses={"planned": 0.56, "held": 0.38})
    (event,) = assemble(call, unsure)
    assert event.status == "held"
    sure = mention(status="planned", published=at(1), medium="phone", statuses={"planned": 0.9, "held": 0.05})
    assert len(assemble(call, sure)) == 2


def test_a_visit_on_the_eve_of_a_meeting_that_nobody_placed_is_that_meeting():
    planned = meeting("planned", at(-8), when=day("2026-02-05"))
    visit = mention(status="planned", kind="visit", medium="in_person", place=Place(name="", country="CN"))
    revisions = run(Assembly(), planned, visit)
    assert len({event.event_id for event in revisions}) == 1
    later = msgspec.structs.replace(planned, when=day("2026-02-12"))
    assert len({event.event_id for event in run(Assembly(), later, visit)}) == 2

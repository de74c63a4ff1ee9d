"""Test what publishers do with guids, links and dates: each story is published once, each edit as its revision."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.feeds.polling.feed_health import CHURNING_POLLS
from tests.monitor.feeds.novelty.follower import Follower, ids, item, rss

pytestmark = pytest.mark.slow

HOME = "https://gazette.example/"


def new(*titles: str) -> tuple[list[str], list[tuple[str, int]]]:
    return sorted(titles), []


def changed(title: str, revision: int = 1) -> tuple[list[str], list[tuple[str, int]]]:
    return [], [(title, revision)]


NOTHING = new()


# ---- keys that entries share ----


@pytest.mark.parametrize("guid", ["", "N/A", "none", "the-feed", HOME])
@pytest.mark.parametrize("link", ["", HOME, f"{HOME}live"])
@pytest.mark.parametrize("date", ["", 5])
def test_row_70_entries_that_share_everything_but_their_words_are_all_told(
    guid: str, link: str, date: str | int
) -> None:
    def some(*numbers: int) -> str:
        return rss(*(item(f"Design {n}", link, guid, f"About design {n}", date) for n in numbers))

    feed = Follower()
    told = feed.play([some(6, 5, 4, 3, 2, 1), some(8, 7, 6, 5, 4, 3), some(8, 7, 6, 5, 4, 3), some(9, 8, 7, 6, 5, 4)])
    assert told == [new(*(f"Design {n}" for n in range(1, 7))), new("Design 7", "Design 8"), NOTHING, new("Design 9")]


def test_row_70_one_link_for_all_and_two_new_entries_at_once() -> None:
    def notes(*numbers: int) -> str:
        return rss(*(item(f"Note {n}", f"{HOME}changes.html", "", f"Words of note {n}", n) for n in numbers))

    assert Follower().play([notes(1), notes(3, 2, 1), notes(4)]) == [
        new("Note 1"),
        new("Note 2", "Note 3"),
        new("Note 4"),
    ]


def test_row_70_the_owner_of_a_shared_key_leaves() -> None:
    def notes(*numbers: int) -> str:
        return rss(*(item(f"Note {n}", f"{HOME}notices#n{n}", "", f"Text of note {n}") for n in numbers))

    assert Follower().play([notes(3, 2, 1), notes(4, 3, 2), notes(5), notes(6, 5)]) == [
        new("Note 1", "Note 2", "Note 3"), new("Note 4"), new("Note 5"), new("Note 6"),
    ]  # fmt: skip


def test_row_70_an_edit_is_found_among_entries_that_share_a_link() -> None:
    def notes(edit: str) -> str:
        return rss(*(item(f"Note {n}", f"{HOME}changes", "", f"Words {n}{edit if n == 2 else ''}") for n in (3, 2, 1)))

    assert Follower().play([notes(""), notes(", corrected")])[1] == changed("Note 2")


def test_row_70_some_entries_have_a_placeholder_for_a_guid() -> None:
    def some(*numbers: int) -> str:
        return rss(
            *(item(f"Story {n}", f"{HOME}{n}", "N/A" if n % 3 == 0 else f"g{n}", f"Text {n}", n) for n in numbers)
        )

    assert Follower().play([some(4, 3, 2, 1), some(7, 6, 5, 4), some(9, 8, 7)])[1:] == [
        new("Story 5", "Story 6", "Story 7"), new("Story 8", "Story 9"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("link", "guid"), [("bulletin", "b{}"), ("bulletin/{}", ""), ("bulletin/{}", "b{}"), ("bulletin?day={}", "n/a")]
)
def test_row_71_the_same_headline_again_is_news_when_its_text_is_new(link: str, guid: str) -> None:
    def bulletin(day: int) -> str:
        text = f"On day {day} the harbour is open"
        return rss(item("Harbour bulletin", f"{HOME}{link.format(day)}", guid.format(day), text, 24 * day))

    follower = Follower()
    follower.play([bulletin(1), bulletin(2), bulletin(3)])
    assert [article.summary for article in follower.published] == [f"On day {n} the harbour is open" for n in (1, 2, 3)]


# ---- guids that are positions ----


@pytest.mark.parametrize("link", [f"{HOME}s/{{}}", f"{HOME}latest", ""])
@pytest.mark.parametrize("pace", [1, 3])
def test_row_72_guids_that_are_positions(link: str, pace: int) -> None:
    def top(first: int) -> str:
        stories = enumerate(range(first, first - 8, -1), start=1)
        return rss(*(item(f"Story {n}", link.format(n), str(place), f"Body of story {n}") for place, n in stories))

    told = Follower().play([top(10 + pace * poll) for poll in range(28)])
    assert told[1:] == [new(*(f"Story {10 + pace * poll - back}" for back in range(pace))) for poll in range(1, 28)]


def test_row_72_positions_whose_stories_are_all_replaced_at_once() -> None:
    def page(number: int) -> str:
        places = range(1, 7)
        return rss(*(item(f"P{number} story {n}", f"{HOME}{number}/{n}", str(n), f"Body {number} {n}") for n in places))

    told = Follower().play([page(1), page(2), page(3)])
    assert [len(fresh) for fresh, _ in told] == [6, 6, 6]
    assert [edits for _, edits in told] == [[], [], []]


# ---- tokens ----


@pytest.mark.parametrize(
    "link",
    [
        f"{HOME}notice/{{n}}?doc={{n}}&cookie={{t}}", f"{HOME}notice?doc={{n}}&sid={{t}}",
        f"{HOME}n/{{n}};jsessionid={{t}}",
        f"{HOME}(S({{t}}))/notice/{{n}}", f"{HOME}{{t}}/notice/{{n}}", f"{HOME}notice/{{n}}#{{t}}", f"{HOME}go/{{t}}",
        f"{HOME}notice/{{n}}?at={{t}}&again={{t}}",
    ],
)  # fmt: skip
@pytest.mark.parametrize("guid", ["", "{t}", f"{HOME}?p={{n}}&nonce={{t}}", "{n}"])
def test_row_73_tokens_that_are_new_at_each_request(link: str, guid: str) -> None:
    def notices(poll: int, *numbers: int, edited: int = 0) -> str:
        return rss(
            *(
                item(f"Withdrawal notice {n}", link.format(n=n, t=f"{poll}f{n}3"), guid.format(n=n, t=f"x{poll}{n}"),
                     f"Words of notice {n}{', corrected' if n == edited else ''}", n)
                for n in numbers
            )
        )  # fmt: skip

    first = (6, 5, 4, 3, 2, 1)
    follower = Follower()
    told = follower.play(
        [
            notices(0, *first),
            notices(1, *first),
            notices(2, 7, *first),
            notices(3, 7, *first, edited=4),
            notices(4, *first, edited=4),
        ]
    )
    assert told == [
        new(*(f"Withdrawal notice {n}" for n in first)), NOTHING, new("Withdrawal notice 7"),
        changed("Withdrawal notice 4"), NOTHING,
    ]  # fmt: skip
    assert {len(one) for one in ids(follower.published).values()} == {1}


def test_row_73_a_parameter_that_identifies_is_kept_beside_one_that_does_not() -> None:
    def shown(poll: int, *numbers: int) -> str:
        return rss(*(item(f"Story {n}", f"{HOME}show?id={n}&s={poll}{n}", "", f"Text {n}") for n in numbers))

    follower = Follower()
    assert follower.play([shown(0, 3, 2, 1), shown(1, 4, 3, 2), shown(2, 5, 4, 3)])[1:] == [
        new("Story 4"),
        new("Story 5"),
    ]
    assert str(follower.choice) == "link without s"
    assert "s in the links changed from poll to poll" in follower.choice.why


# ---- addresses that move ----


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/s/{n}", "https://b.example/s/{n}"), ("http://a.example/s/{n}", "https://www.a.example/s/{n}/"),
        ("https://a.example/s/{n}", "https://news.moved.example/s/{n}"), ("https://a.example/s?id={n}", "https://cdn.a.example/s?id={n}"),
        ("https://old.example/?p={n}", "https://new.example/2026/{n}-story"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("guid", ["", "link"])
@pytest.mark.parametrize("in_turn", [True, False])
def test_row_74_two_hosts_in_turn_and_moved_sites(one: str, other: str, guid: str, in_turn: bool) -> None:
    def stories(poll: int, *numbers: int, edited: int = 0) -> str:
        base = other if (poll % 2 if in_turn else poll >= 2) else one
        return rss(
            *(
                item(
                    f"Story {n}",
                    base.format(n=n),
                    guid and base.format(n=n),
                    f"Text {n}{' edited' if n == edited else ''}",
                    n,
                )
                for n in numbers
            )
        )

    told = Follower().play(
        [
            stories(0, 4, 3, 2, 1),
            stories(1, 4, 3, 2, 1),
            stories(2, 5, 4, 3, 2),
            stories(3, 5, 4, 3, 2, edited=3),
            stories(4, 6, 5, 4),
        ]
    )
    assert told[1:] == [NOTHING, new("Story 5"), changed("Story 3"), new("Story 6")]


# ---- new guids ----


@pytest.mark.parametrize(("title", "text"), [("Essay 4", "Words, corrected"), ("Essay 4, corrected", "Words 4")])
@pytest.mark.parametrize("date", ["", 4])
def test_row_75_a_new_guid_with_the_same_link_and_an_edit(title: str, text: str, date: str | int) -> None:
    before = [item(f"Essay {n}", f"{HOME}{n}", f"{HOME}?p={n}", f"Words {n}", n if date else "") for n in range(8)]
    after = [*before[:4], item(title, f"{HOME}4", f"{HOME}?p=994", text, date), *before[5:]]
    follower = Follower()
    assert follower.play([rss(*before), rss(*after), rss(*after)])[1:] == [changed(title), NOTHING]


def test_row_75_one_story_under_two_new_guids() -> None:
    before = [item(f"Story {n}", f"{HOME}{n}", f"g{n}", f"Text {n}") for n in range(5)]
    twice = [item("Story 2", f"{HOME}2", guid, "Text 2") for guid in ("g2-a", "g2-b")]
    assert Follower().play([rss(*before), rss(*twice, *before[:2], *before[3:]), rss(*before)])[1:] == [
        NOTHING,
        NOTHING,
    ]
    assert Follower().play([rss(*twice, *before)])[0] == new(*(f"Story {n}" for n in range(5)))


def test_row_75_guids_made_of_the_text_change_with_each_edit() -> None:
    def stories(edit: str) -> str:
        return rss(
            *(
                item(f"Story {n}", f"{HOME}{n}", f"{n}{edit if n < 3 else ''}", f"Text {n}{edit if n < 3 else ''}")
                for n in range(6)
            )
        )

    told = Follower().play([stories(""), stories(" a"), stories(" b")])
    assert [len(fresh) for fresh, _ in told] == [6, 0, 0]
    assert told[2][1] == [(f"Story {n}", 2) for n in range(3)]


@pytest.mark.parametrize(
    ("guid", "told"),
    [
        ("", (["Council meets 5"], [("Council meets again 3", 1)])),
        # A guid is the publisher's word for what one entry is: where guids hold, a new one is a new entry.
        ("{link}", (["Council meets 5", "Council meets again 3"], [])),
        ("tag:gazette.example,{slug}", (["Council meets 5", "Council meets again 3"], [])),
    ],
)
def test_row_75_an_address_made_of_the_title_moves_with_it(guid: str, told: tuple[list[str], list[Any]]) -> None:
    def stories(*numbers: int, edited: int = -1) -> str:
        def one(n: int) -> str:
            slug = f"{n}-council-meets{'-again' if n == edited else ''}"
            link = f"{HOME}{slug}"
            title = f"Council meets{' again' if n == edited else ''} {n}"
            return item(title, link, guid.format(link=link, slug=slug), f"Words of {n}", n)

        return rss(*(one(n) for n in numbers))

    fresh, changed = Follower().play([stories(3, 2, 1, 0), stories(4, 3, 2, 1), stories(5, 4, 3, 2, edited=3)])[2]
    assert (sorted(fresh), changed) == told


def test_row_75_a_shared_summary_and_moment_do_not_make_another_story_a_correction() -> None:
    def stories(*numbers: int) -> str:
        return rss(*(item(f"Result {n}", f"{HOME}{n}", f"g{n}", "All results of the day.", n // 3) for n in numbers))

    told = Follower().play([stories(5, 4, 3, 2, 1, 0), stories(6, 5, 4, 3, 2, 1), stories(8, 7, 6, 5, 4, 3)])
    assert told[1:] == [new("Result 6"), new("Result 7", "Result 8")]


def stories(*numbers: int, **changes: dict[str, Any]) -> list[str]:
    """Items with a guid, link, date and text each; `changes` are of the story with that number (`n2={...}`)."""
    return [
        item(
            **{
                "title": f"Council decides on plan {n} today",
                "link": f"{HOME}{n}",
                "guid": f"g{n}",
                "text": f"Words of {n}.",
                "date": n,
                **changes.get(f"n{n}", {}),
            }
        )
        for n in numbers
    ]


TITLE = "Council decides on plan 2 today"


def test_row_75_one_story_in_two_sections_is_told_once_and_so_is_its_edit() -> None:
    world = {"link": f"{HOME}world/2", "guid": "w2"}
    six = range(5, -1, -1)
    told = Follower().play(
        [
            rss(*stories(*six)),
            rss(*stories(*six), *stories(2, n2=world)),
            rss(*stories(5, 4, 3), *stories(2, n2=world)),
            rss(*stories(6, 5, 4, 3), *stories(2, n2=world | {"text": "Corrected."})),
        ]
    )
    assert told[1:] == [NOTHING, NOTHING, (["Council decides on plan 6 today"], [(TITLE, 1)])]
    # Without dates, or with nothing but a title, they may be two stories.
    for less in ({"date": ""}, {"text": ""}):
        both = [*stories(5, 4), *stories(2, n2=less), *stories(2, n2=world | less)]
        assert len(Follower().play([rss(*both)])[0][0]) == 4


@pytest.mark.parametrize("other", [{}, {"date": 50}])
def test_row_75_a_story_that_is_put_out_again_under_another_guid_and_link_is_no_news(other: dict[str, Any]) -> None:
    six = range(5, -1, -1)
    again = {"link": f"{HOME}again/2", "guid": "x2", **other}
    assert Follower().play([rss(*stories(*six)), rss(*stories(*six)), rss(*stories(*six, n2=again))])[2] == NOTHING
    # Where the first one still stands in the feed, both are meant; and with other words it is another story.
    both = rss(*stories(2, n2=again | {"date": 50}), *stories(*six))
    assert Follower().play([rss(*stories(*six)), both])[1] == new(TITLE)
    changed_too = rss(*stories(*six, n2=again | {"text": "Other words.", "date": 50}))
    assert Follower().play([rss(*stories(*six)), rss(*stories(*six)), changed_too])[2] == new(TITLE)


def test_row_75_a_bulletin_that_comes_again_with_the_same_words_is_told() -> None:
    def bulletin(day: int) -> list[str]:
        return [item("Weather", f"{HOME}w/{day}", f"w{day}", "Sunny.", 24 * day)]

    first, second = stories(5, 4, 3, 2), stories(6, 5, 4, 3)
    assert Follower().play([rss(*bulletin(1), *first), rss(*bulletin(1), *first), rss(*bulletin(2), *second)])[
        2
    ] == new("Council decides on plan 6 today", "Weather")


def test_row_75_a_guid_made_of_the_words_where_there_is_nothing_else() -> None:
    bare: dict[str, Any] = {"link": "", "date": ""}
    before = [one for n in range(6) for one in stories(n, **{f"n{n}": bare})]
    edit = stories(2, n2=bare | {"guid": "of-other-words", "text": "Words of 2, corrected."})
    after = [*before[:2], *edit, *before[3:]]
    assert Follower().play([rss(*before), rss(*before), rss(*after)])[2] == changed(TITLE)
    # A short title may be that of the next bulletin.
    short = [item("Weather", "", f"w{day}", f"Sunny on day {day}.") for day in range(2)]
    assert Follower().play([rss(short[0], *before), rss(short[1], *before)])[1] == new("Weather")


def test_row_72_guids_that_begin_anew_with_other_pages_are_those_of_new_stories() -> None:
    anew = {
        f"n{n}": {"title": f"Another {n}", "link": f"{HOME}v2/{n}", "text": f"Fresh {n}", "date": 90 + n}
        for n in range(6)
    }
    six = range(5, -1, -1)
    told = Follower().play([rss(*stories(*six)), rss(*stories(*six)), rss(*stories(*six, **anew))])
    assert told[2] == new(*(f"Another {n}" for n in range(6)))


# ---- editions ----


def editions(word: str) -> str:
    return rss(*(item(f"{word} {n}", f"{HOME}s/{n}", f"g{n}", f"Body {n}") for n in range(3)))


@pytest.mark.parametrize("words", [("New", "Old"), ("A", "B", "C")])
def test_row_76_editions_served_in_turn_are_told_once_each_way_and_a_correction_is_told(words: tuple[str, ...]) -> None:
    follower = Follower()
    follower.play([editions(words[poll % len(words)]) for poll in range(30)])
    assert max(article.revision for article in follower.published) == len(words)
    assert follower.play([editions("Correction: nobody was hurt")])[0][1] == [
        (f"Correction: nobody was hurt {n}", len(words) + 1) for n in range(3)
    ]


def test_row_76_the_same_letters_in_another_writing_are_no_correction() -> None:
    def cafes(word: str) -> str:
        return rss(*(item(f"{word} {n}", f"{HOME}{n}", f"g{n}", f"In the {word} of {n}") for n in range(3)))

    assert Follower().play([cafes("Caf\u00e9"), cafes("Cafe\u0301"), cafes("Caf\u00e9")])[1:] == [NOTHING, NOTHING]


def test_row_76_an_edit_that_is_taken_back_is_told() -> None:
    told = Follower().play([editions("First"), editions("Wrong"), editions("First"), editions("First")])
    assert [revision for _, revision in told[2][1]] == [2, 2, 2]
    assert told[3] == NOTHING


def test_row_76_a_stale_copy_with_fewer_entries_in_turn_tells_nothing_twice() -> None:
    def stories(*numbers: int) -> str:
        return rss(*(item(f"Story {n}", f"{HOME}{n}", f"g{n}", f"Text {n}") for n in numbers))

    told = Follower().play([stories(4, 3, 2), stories(3, 2, 1), stories(5, 4, 3), stories(3, 2, 1), stories(6, 5, 4)])
    assert told[1:] == [new("Story 1"), new("Story 5"), NOTHING, new("Story 6")]


# ---- when nothing holds ----


def slot(number: int, link: str, guid: str) -> str:
    """The one entry of a feed, another one each time."""
    return rss(item(f"Headline {number}", f"{HOME}{link.format(number)}", guid, f"Text {number}", number * 5))


@pytest.mark.parametrize("link", ["top", "top?place=1", "top#one", "en/top/"])
def test_row_77_a_slot_whose_stories_change_is_seen_through_after_three_polls(link: str) -> None:
    follower = Follower()
    told = follower.play([slot(n, link, "top") for n in range(7)])
    assert [len(fresh) for fresh, _ in told] == [1, 0, 0, 0, 1, 1, 1]
    assert follower.choice.kind == "words"
    assert "for three polls" in follower.choice.why


@pytest.mark.parametrize(("link", "guid"), [("top", ""), ("{}", "the-one-slot"), ("{}?from=feed", "1"), ("", "")])
def test_row_77_a_slot_without_a_guid_or_with_other_pages_is_seen_through_at_once(link: str, guid: str) -> None:
    told = Follower().play([slot(n, link, guid) for n in range(5)])
    assert told == [([f"Headline {n}"], []) for n in range(5)]


def test_row_78_a_document_of_nothing_but_new_entries_or_corrections_says_so() -> None:
    follower = Follower()
    for poll in range(CHURNING_POLLS):
        assert follower.poll(rss(*(item(f"S {poll} {n}", f"{HOME}{poll}{n}", f"{poll}{n}") for n in range(4)))).only_new
    assert not follower.poll(rss(item("S 2 0", f"{HOME}20", "20"), item("More", f"{HOME}m", "m"))).only_new
    assert follower.poll(rss(item("S 2 0, corrected", f"{HOME}20", "20"))).only_changed


def test_row_79_entries_that_are_left_out_are_named_with_a_reason() -> None:
    found = Follower().poll(rss(item("", f"{HOME}1", "g1"), item("Two", f"{HOME}2", "g2")))
    assert [(each.name, each.reason) for each in found.left_out] == [(f"{HOME}1", "no_words")]
    assert [article.title for article in found.new] == ["Two"]


# ---- long documents ----


def history(numbers: Iterable[int], form: str, *, dated: bool) -> str:
    def date(n: int) -> str:
        return (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=n)).isoformat() if dated else ""

    if form == "json":
        rows = [{"id": f"pr{n}", "title": f"Release {n}", "date_published": date(n)} for n in numbers]
        return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "M", "items": rows})
    if form == "atom":
        rows_xml = "".join(
            f"<entry><id>pr{n}</id><title>Release {n}</title><published>{date(n)}</published></entry>" for n in numbers
        )
        return f"<feed xmlns='http://www.w3.org/2005/Atom'><title>M</title>{rows_xml}</feed>"
    stray = "&" if form == "ill-formed" else ""
    return rss(
        *(item(f"Release {n}", "", f"pr{n}", "", date(n)).replace("Release", f"{stray}Release") for n in numbers)
    )


@pytest.mark.parametrize("form", ["rss", "atom", "json", "ill-formed"])
@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
def test_row_119_what_is_added_to_a_long_history_is_told(form: str, dated: bool, backwards: bool) -> None:
    def whole(count: int) -> str:
        return history(range(count)[:: -1 if backwards else 1], form, dated=dated)

    told = Follower().play([whole(2100), whole(2101), whole(2103)])
    assert len(told[0][0]) == 2000
    assert [[title.lstrip("&") for title in fresh] for fresh, _ in told[1:]] == [
        ["Release 2100"], ["Release 2101", "Release 2102"],
    ]  # fmt: skip
    assert [edits for _, edits in told] == [[], [], []]


def test_row_119_in_a_history_without_order_the_latest_dates_are_read() -> None:
    numbers = list(range(2600))
    random.Random(1).shuffle(numbers)
    follower = Follower()
    follower.poll(history(numbers, "rss", dated=True))
    numbers.insert(1300, 2600)
    assert [article.title for article in follower.poll(history(numbers, "rss", dated=True)).new] == ["Release 2600"]


def of_the_day(numbers: Iterable[int], *, guid: str, link: str, hour: str = " 00:00:00 GMT") -> str:
    rows = list(enumerate(numbers))
    return rss(*(
        item(f"Story number {n}", link.format(n=n, pair=n // 2), guid.format(n=n, place=place), "Read it all with us.",
             f"Mon, 02 Mar 2026{hour}" if n < 6 else f"Tue, 03 Mar 2026{hour}")
        for place, n in rows
    ))  # fmt: skip


@pytest.mark.parametrize("link", ["https://a.example/s/{n}", "https://a.example/2026/3/2/part-{n}00"])
@pytest.mark.parametrize("hour", [" 00:00:00 GMT", ""])
def test_row_147_places_of_a_list_tell_no_stories_of_one_day_apart(hour: str, link: str) -> None:
    def feed(numbers: Iterable[int]) -> str:
        return of_the_day(numbers, guid="{place}", link=link, hour=hour)

    told = Follower().play([feed(range(1, 5)), feed(range(1, 5)), feed(range(4, 8))])
    assert told[2] == (["Story number 5", "Story number 6", "Story number 7"], [])


@pytest.mark.parametrize("link", ["https://a.example/{n}/{slug}", "https://a.example/news/{slug}-{n}"])
@pytest.mark.parametrize("polls", [1, 2])
def test_row_149_a_number_that_stands_in_guid_and_link_names_a_page(polls: int, link: str) -> None:
    def story(n: int, title: str) -> str:
        address = link.format(n=n, slug=title.lower().replace(" ", "-"))
        return item(title, address, f"item-{n}", date="Mon, 02 Mar 2026")

    before = [story(n, f"Harbour talks {word}") for n, word in enumerate(("open", "stall", "resume", "end"), 1)]
    told = Follower().play([*[rss(*before)] * polls, rss(*before[:2], story(3, "A deal at last"), before[3])])
    assert told[-1] == ([], [("A deal at last", 1)])


def test_row_147_the_next_story_of_the_day_under_a_shared_link_is_new() -> None:
    def feed(*numbers: int) -> str:
        return of_the_day(numbers, guid="urn:{n}", link="https://a.example/s/{pair}")

    told = Follower().play([feed(1, 2, 4, 6), feed(1, 2, 4, 6), feed(1, 2, 4, 7), feed(1, 2, 4, 6)])
    assert told[2:] == [(["Story number 7"], []), ([], [])]


def spelled(link: str, **edited: str) -> str:
    """A feed without guids whose links are `link`; of story 3 the fields `edited` are other ones."""
    texts = {n: {"title": f"Story {n} of the coast", "text": f"Words of {n}."} for n in range(6)}
    texts[3] |= edited
    return rss(*(item(said["title"], link.format(n=n), "", said["text"], n) for n, said in texts.items()))


def test_row_148_an_address_in_another_spelling_is_the_same() -> None:
    spellings = [
        "https://a.example/caf%C3%A9/{n}?a=1&b=2", "https://a.example/caf%c3%a9/{n}?b=2&a=1",
        "https://A.example:443/x/../café/{n}?a=1&b=2#",
    ]  # fmt: skip
    first, *others = spellings
    documents = [spelled(first), *(spelled(link, title=link[:20], text=link) for link in others)]
    assert [(len(new), len(changed)) for new, changed in Follower().play(documents)] == [(6, 0), (0, 1), (0, 1)]


def test_row_148_a_parameter_that_counts_the_edits_makes_no_other_story() -> None:
    def feed(edit: int, **edited: str) -> str:
        return spelled("https://a.example/s/{n}?rev=1", **edited).replace("/s/3?rev=1", f"/s/3?rev={edit}")

    told = Follower().play(
        [feed(1), feed(1), feed(2, title="Coast road open", text="It is open."), feed(3, text="No.")]
    )
    assert told[2] == ([], [("Coast road open", 1)])
    assert told[3] == ([], [("Story 3 of the coast", 2)])


def test_row_148_a_parameter_that_tells_pages_apart_makes_another_story() -> None:
    before = spelled("https://a.example/show?id={n}")
    other = item("A ferry runs aground", "https://a.example/show?id=9", "", "Nobody was hurt.", 3)
    assert Follower().play([before, before, before.replace("<item>", f"{other}<item>", 1)])[2] == (
        ["A ferry runs aground"], [],
    )  # fmt: skip


def test_row_76_two_versions_with_an_address_each_are_told_once_each() -> None:
    def version(title: str) -> str:
        others = [item(f"Other story {n}", f"https://a.example/{n}", f"g{n}", f"Text of {n}.", n) for n in range(5)]
        return rss(
            item(title, f"https://a.example/9-{title.replace(' ', '-')}", "g9", f"{title}, says the desk."), *others
        )

    told = Follower().play(version(title) for title in ["The coast road opens", "LIVE: the coast road opens"] * 5)
    assert [changed for _, changed in told[1:3]] == [[("LIVE: the coast road opens", 1)], [("The coast road opens", 2)]]
    assert told[3:] == [([], [])] * 7

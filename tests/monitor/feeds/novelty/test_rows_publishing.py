"""Test the behaviour table of docs/polling.md, rows 80-84 and 142-144: publishing systems over weeks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from monitor.feeds.formats.fields.relative_times import timeless
from monitor.feeds.novelty.reconcile import MAX_REVISIONS
from tests.monitor.feeds.novelty.follower import FEED, Follower, ids, item, rss
from tests.monitor.feeds.novelty.test_rows_identity import HOME, NOTHING, changed, new, stories
from tests.stopwatch import seconds

SIX = range(5, -1, -1)


def plan(n: int) -> str:
    return f"Council decides on plan {n} today"


# ---- 80: guids that are used again ----


def test_row_80_a_guid_that_is_used_again_names_another_story() -> None:
    def ring(newest: int) -> str:
        return rss(*stories(*range(newest, newest - 6, -1), **{f"n{n}": {"guid": str(n % 7)} for n in range(60)}))

    told = Follower().play([ring(newest) for newest in range(5, 40)])
    assert told[1:] == [new(plan(newest)) for newest in range(6, 40)]


def test_row_80_a_rewritten_story_keeps_its_guid() -> None:
    words = {"title": "Council puts off its plan", "text": "Everything is said in other words.", "date": 70}
    told = Follower().play([rss(*stories(*SIX)), rss(*stories(*SIX)), rss(*stories(*SIX, n2=words))])
    assert told[2] == changed("Council puts off its plan")
    # A guid that is no small number stays with a story of which everything else was changed.
    named = {f"n{n}": {"guid": f"gazette-2026-000{n}"} for n in range(6)}
    moved = named | {"n2": {**words, "guid": "gazette-2026-0002", "link": f"{HOME}put-off"}}
    told = Follower().play([rss(*stories(*SIX, **named)), rss(*stories(*SIX, **named)), rss(*stories(*SIX, **moved))])
    assert told[2] == changed("Council puts off its plan")


def test_row_80_a_guid_that_was_its_entrys_address_stays_the_same_guid() -> None:
    preview = f"{HOME}?p=2"
    first, last = {"guid": preview, "link": preview}, {"guid": preview, "title": "Council has decided"}
    told = Follower().play(
        [rss(*stories(*SIX)), rss(*stories(6, *SIX, n6=first)), rss(*stories(6, *SIX, n6=last | {"text": "Other."}))]
    )
    assert told[1:] == [new(plan(6)), changed("Council has decided")]


# ---- 81: entries that never stop changing ----


@pytest.mark.parametrize(
    ("link", "guid"), [("today", "today"), ("today", ""), ("today", f"{HOME}today"), ("day?page=today", "d1")]
)
@pytest.mark.slow
def test_row_81_a_page_of_the_day_goes_on_being_told_once_a_day(link: str, guid: str) -> None:
    follower = Follower()
    for poll in range(MAX_REVISIONS + 1 + 4 * 24):
        words = f"At {poll} o'clock: {poll * poll}"
        follower.poll(rss(item("The day in Oslo", f"{HOME}{link}", guid, words), *stories(3, 2, 1)))
    about = [article for article in follower.published if article.title == "The day in Oslo"]
    assert len({article.id for article in about}) == 1
    assert [article.revision for article in about] == list(range(len(about)))
    assert MAX_REVISIONS + 4 <= len(about) - 1 <= MAX_REVISIONS + 6


# ---- 82: a site that moves to another system ----


# Other guids, links, texts and dates at once would leave the title only, which an outlet may use again.
@pytest.mark.parametrize(("text", "later"), [("Words of {}. Read more", 0), ("Words of {}.", 0), ("Words of {}.", 1)])
def test_row_82_stories_that_move_to_another_system_are_the_same(text: str, later: int) -> None:
    moved = {
        f"n{n}": {"guid": f"{HOME}node/{n}", "link": f"{HOME}2026/{n}-plan", "text": text.format(n), "date": n + later}
        for n in range(7)
    }
    told = Follower().play([rss(*stories(*SIX)), rss(*stories(*SIX)), rss(*stories(6, *SIX, **moved))])
    assert told[2][0] == [plan(6)]
    assert len(told[2][1]) == (6 if "more" in text else 0)


# ---- 84: the same words again ----


def test_row_84_notices_of_the_same_words_are_told_for_each_address() -> None:
    def notices(newest: int) -> str:
        return rss(*(item("Notice", f"{HOME}notice/{n}", "", "See page") for n in range(newest, newest - 5, -1)))

    assert Follower().play([notices(n) for n in range(5, 9)])[1:] == [new("Notice")] * 3


@pytest.mark.parametrize(
    ("title", "text", "is_known"),
    [
        ("Council decides on plan 2", "The mayor spoke of a long night and of many open questions.", True),
        ("Council of the harbour decides on plan 2 today", "", True),
        ("議会は月曜日に港の東側の橋を修理のあと再び開くことを決めた", "", True),
        ("Weather", "Sunny.", False),
        (
            "Weather",
            "Sunny in the morning, some rain in the afternoon, and a calm night over the sea.",
            False,
        ),
    ],
)
def test_row_84_a_story_that_is_put_out_again_later_is_known_by_words_that_tell(
    title: str, text: str, is_known: bool
) -> None:
    follower = Follower()
    first = {"title": title, "text": text}
    follower.play([rss(*stories(*SIX, n2=first)), rss(*stories(*SIX, n2=first)), rss(*stories(9, 8, 7, 6, 5))])
    follower.now += timedelta(days=3)
    again = stories(2, n2={**first, "link": f"{HOME}again/2", "guid": "again-2", "date": 90})
    assert follower.play([rss(*again, *stories(9, 8, 7, 6))]) == [NOTHING if is_known else new(title)]


# ---- 142: times that are counted back from now ----


@pytest.mark.parametrize(
    ("language", "first", "later"),
    [
        ("en", "Posted 3 hours ago by Ann", "Posted 4 hours ago by Ann"),
        ("en", "Updated just now.", "Updated 1 min ago."),
        ("en", "1 day, 3 hours ago in Oslo", "1 day, 4 hours ago in Oslo"),
        ("de", "Vor 3 Stunden aktualisiert", "Vor einer Stunde aktualisiert"),
        ("fr", "Publié il y a 5 min", "Publié il y a une heure"),
        ("es", "Hace 3 horas | Mundo", "Hace un día | Mundo"),
        ("pt", "3 horas atrás em Lisboa", "há 5 horas em Lisboa"),
        ("it", "Oslo, 3 ore fa", "Oslo, un'ora fa"),
        ("ru", "Осло, час назад", "Осло, 5 часов назад"),
        ("ar", "نشر منذ 3 ساعات", "نشر منذ ساعة"),
        ("tr", "3 saat önce güncellendi", "2 gün önce güncellendi"),
        ("zh", "约3小时前发布", "约5小时前发布"),
        ("ja", "奥斯陸 3時間前に更新", "奥斯陸 1日前に更新"),
        ("ko", "오슬로 3시간 전", "오슬로 5분 전"),
        ("hi", "ओस्लो 3 घंटे पहले", "ओस्लो 4 घंटे पहले"),
        ("sv", "Posted 3 hours ago", "Posted 1 day ago"),
    ],
)
@pytest.mark.parametrize("place", ["summary", "text"])
def test_row_142_a_time_counted_back_from_now_makes_no_correction(
    language: str, first: str, later: str, place: str
) -> None:
    def notices(said: str, more: str = "") -> str:
        name = "description" if place == "summary" else "content:encoded"
        one = item("Talks on the bridge", f"{HOME}1", "g1").replace(
            "</title>", f"</title><{name}>{said}{more}</{name}>"
        )
        head = "<rss version='2.0' xmlns:content='http://purl.org/rss/1.0/modules/content/'>"
        return rss(one, f"<language>{language}</language>").replace("<rss version='2.0'>", head)

    follower = Follower(msgspec.structs.replace(FEED, language=language))
    told = follower.play([notices(first), notices(later), notices(later, " (2)"), notices(first, " (2)")])
    assert [len(edits) for _, edits in told] == [0, 0, 1, 0]


@pytest.mark.parametrize(
    ("first", "later"),
    [
        ("Five dead after 3 hours of fighting", "Five dead after 4 hours of fighting"),
        ("7 killed in 2 days", "8 killed in 2 days"),
        ("It began 3 years ago", "It began 4 years ago"),
        ("Il y a 3 morts", "Il y a 4 morts"),
        ("3 ore fatali", "4 ore fatali"),
        ("Chicago 3", "Chicago 4"),
    ],
)
def test_row_142_another_number_is_a_correction(first: str, later: str) -> None:
    documents = [rss(item("Talks on the bridge", f"{HOME}1", "g1", text)) for text in (first, later)]
    assert [len(edits) for _, edits in Follower().play(documents)] == [0, 1]


@pytest.mark.slow
def test_row_142_a_long_text_of_such_times_takes_no_time() -> None:
    for text in ("1 hour, " * 10_000 + "ago", "hour " * 20_000 + "ago", "9" * 50_000 + " ago", "1 hour ago " * 40_000):
        assert seconds(lambda text=text: timeless(text, "en")) < 1


# ---- 75: stories of few words that are put out again ----


@pytest.mark.parametrize(
    ("title", "text", "told"),
    [
        ("Fire in Oslo", "Two people hurt.", False),
        ("Council approves budget", "Five voted for it.", False),
        ("Talks in Geneva end without result", "", False),
        ("奥斯陆港口大桥今天重新开放", "", False),
        ("Weather", "Sunny.", True),
        ("News in brief", "", True),
        ("Traffic report", "All roads clear.", True),
    ],
)
@pytest.mark.parametrize("date", ["", 11])
def test_row_75_a_short_story_that_is_put_out_again_within_a_day_is_no_news(
    title: str, text: str, told: bool, date: str | int
) -> None:
    first = item(title, f"{HOME}short", "short", text, date and 9)
    again = item(title, f"{HOME}short-2", "short-2", text, date)
    others = stories(*SIX)
    follower = Follower()
    assert follower.play([rss(first, *others), rss(first, *others), rss(again, *others)])[2] == (
        new(title) if told else NOTHING
    )
    # Beside the first one, or on another day, it is told.
    assert Follower().play([rss(first, *others), rss(again, first, *others)])[1] == new(title)
    later = Follower()
    later.play([rss(first, *others)])
    later.now += timedelta(days=1)
    assert later.play([rss(again, *others)])[0] == new(title)


# ---- 143: addresses that are used again ----


@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize(
    ("link", "guid"),
    [
        ("budget", ""),
        ("show?page=budget", ""),
        ("budget/", f"{HOME}budget"),
        ("budget", "n/a"),
    ],
)
def test_row_143_another_story_under_an_address_whose_story_has_left(link: str, guid: str, dated: bool) -> None:
    def others(*numbers: int) -> list[str]:
        return [
            item(f"Story {n} of the day", f"{HOME}{n}", guid and f"{HOME}{n}", f"Text {n}", n if dated else "")
            for n in numbers
        ]

    def budget(title: str, text: str, hour: int) -> str:
        return item(title, f"{HOME}{link}", guid, text, hour if dated else "")

    spring, autumn = budget("Council plans to spend", "On roads.", 3), budget("A hole in the till", "It grows.", 300)
    edited = budget("Council plans to spend more", "On bridges.", 4)
    follower = Follower()
    told = follower.play(
        [
            rss(spring, *others(1, 2, 3, 4)), rss(spring, *others(2, 3, 4, 5)), rss(edited, *others(2, 3, 4, 5)),
            rss(*others(3, 4, 5, 6)), rss(*others(4, 5, 6, 7)), rss(autumn, *others(5, 6, 7, 8)),
            rss(budget("A hole in the till", "It grows and grows.", 300), *others(6, 7, 8)),
        ]
    )  # fmt: skip
    assert told[2] == changed("Council plans to spend more")
    assert told[5] == new("A hole in the till", "Story 8 of the day")
    assert told[6] == changed("A hole in the till")
    assert len(ids(follower.published)["A hole in the till"]) == 1
    # A story that comes back with its words is no other one.
    assert follower.play([rss(*others(6, 7, 8)), rss(autumn, *others(6, 7, 8))])[1][0] == []


@pytest.mark.parametrize("part", [rss(), rss(*stories(9)), rss(*stories(5))])
def test_row_143_a_part_of_the_feed_does_not_show_what_has_left_it(part: str) -> None:
    bare: dict[str, Any] = {f"n{n}": {"guid": ""} for n in SIX}
    edit = {"title": "Another title", "text": "Another text.", "date": 50, "guid": ""}
    whole, edited = rss(*stories(*SIX, **bare)), rss(*stories(*SIX, **{**bare, "n2": edit}))
    assert Follower().play([whole, whole, part, edited])[3] == changed("Another title")


@pytest.mark.parametrize("guid", ["g{}", f"{HOME}{{}}#0"])
def test_row_143_under_a_guid_of_its_own_a_story_comes_back_as_itself(guid: str) -> None:
    guids = {f"n{n}": {"guid": guid.format(n)} for n in SIX}
    edit = {"title": "Another title", "text": "Another text.", "date": 50, "guid": guid.format(2).replace("#0", "#1")}
    before, after = stories(*SIX, **guids), stories(*SIX, **{**guids, "n2": edit})
    told = Follower().play([rss(*before), rss(*before), rss(*before[:3], *before[4:]), rss(*after)])
    assert told[3] == changed("Another title")


# ---- 144: texts that change at every poll ----


@pytest.mark.parametrize(
    "noise",
    [
        "Words of {n}. (Digital fingerprint: {token})",
        "Points: {count}\n# Comments: {count}",
        "Advert {token}: buy bridges. Words of {n}.",
        "Words of {n}. Generated at 12:{minute}:00.",
    ],
)
def test_row_144_texts_that_change_at_every_poll_are_told_once_a_day(noise: str) -> None:
    def notices(poll: int, **changes: dict[str, Any]) -> str:
        def text(n: int) -> str:
            return noise.format(n=n, token=f"{poll * 7919 + n:08x}", count=poll * 7 + n, minute=poll + 10)

        return rss(*stories(*SIX, **{f"n{n}": {"text": text(n)} | changes.get(f"n{n}", {}) for n in SIX}))

    follower = Follower()
    told = follower.play([notices(poll) for poll in range(10)])
    assert [len(fresh) for fresh, _ in told] == [6] + [0] * 9
    assert [len(edits) for _, edits in told] == [0, 6, 6, 6, 6, 0, 0, 0, 0, 0]
    # A new title is told at once, and texts once on the next day.
    title = {"title": "Nobody was hurt in the harbour"}
    assert follower.play([notices(11, n2=title)])[0][1] == [(title["title"], 5)]
    follower.now += timedelta(days=1)
    assert [len(edits) for _, edits in follower.play([notices(12, n2=title), notices(13, n2=title)])] == [6, 0]
    # When texts come to rest, each correction is told as it comes.
    follower.now += timedelta(days=1)
    calm = [notices(14, n2=title, n3={"text": text}) for text in ("A.", "A.", "Corrected.", "Twice.")]
    assert [len(edits) for _, edits in follower.play(calm)] == [6, 0, 1, 1]


def test_row_144_some_corrected_texts_at_every_poll_are_no_such_noise() -> None:
    edits = [{f"n{n}": {"text": f"Dead: {poll}"} for n in (1, 2, 3)} for poll in range(9)]
    polls = [rss(*stories(*SIX, **edit)) for edit in edits]
    assert [len(corrected) for _, corrected in Follower().play(polls)] == [0] + [3] * 8


def test_row_70_entries_that_differ_in_their_dates_only_are_all_told() -> None:
    def incidents(*hours: int) -> str:
        return rss(*(item("Incident: storage degraded", f"{HOME}status", "", "We look into it.", h) for h in hours))

    told = Follower().play([incidents(3, 1), incidents(3, 1), incidents(5, 3, 1), incidents(5, 3)])
    assert [(len(fresh), len(edits)) for fresh, edits in told] == [(2, 0), (0, 0), (1, 0), (0, 0)]
    # Beside entries with links of their own, the same words under one link are one entry.
    twice = [item("Bridge opens", f"{HOME}b", "", "At noon.", h) for h in (2, 1)]
    assert Follower().play([rss(*twice, *stories(*SIX))])[0][0].count("Bridge opens") == 1

"""Test what each page of the board shows, and that hostile texts are escaped."""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

from agents.board.context import FilterChoices, RecentAnswers
from agents.board.follower import KeptDeadLetter
from agents.board.pages import leader_pages
from agents.board.pages.rendering import TEMPLATES
from agents.stream.dead_letters import DeadLetter
from monitor.feeds.polling.feed_state import FeedState, Health
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.notify import Ack, Delivery
from monitor.records import Change, Fact, Place, When
from tests.agents.board.boards import board, browser
from tests.monitor.archive.samples import HOSTILE, HOSTILE_URL, NOW, PEOPLE, event, planned, source

PAGES = (
    "/", "/?q=putin", "/?status=cancelled", "/events/held", "/calendar", "/calendar?month=2026-03", "/pairs",
    "/pairs/vladimir-putin+xi-jinping", "/leaders", "/leaders?q=zzz", "/leaders/xi-jinping", "/map", "/map?country=FR",
    "/feeds", "/system", "/login", "/nothing",
)  # fmt: skip


def story():
    return (
        event("held", confirmed_by=("xi-jinping",), place=Place(name="Beijing", country="CN"),
              alternatives={"medium": (Fact(value="phone", sources=(2,)),)},
              facts={"medium": Fact(value="video", sources=(1,))}),
        planned("plan", "macron xi", date(2026, 2, 10)),
        planned("missed", "macron merz", date(2026, 2, 2), status="unconfirmed"),
        event("older", "macron merz", 40, medium="in_person", kind="meeting", place=Place(name="Berlin", country="DE")),
    )  # fmt: skip


class Reader(HTMLParser):
    """Collects what matters of a page: elements, attributes, and visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("path", PAGES)
async def test_each_page_loads_nothing_from_elsewhere_and_runs_nothing_inline(tmp_path, path):
    async with board(tmp_path, *story()) as place, browser(place) as reader:
        page = await reader.get(path)
        assert page.status_code == (404 if path == "/nothing" else 200)
        found = Reader(page.text)
        assert found.tags.count("script") == 2
        assert "style" not in found.tags
        assert "h1" in found.tags
        for tag, name, value in found.attributes:
            assert not name.startswith("on"), (tag, name)
            assert name != "style"
            if name in {"src", "action", "hx-get"} or (tag == "link" and name == "href"):
                assert value.startswith("/"), (tag, name, value)
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Server"] == "summitry"


async def test_now_has_the_last_change_first_and_what_is_coming(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as reader:
        page = (await reader.get("/")).text
        cards = re.findall(r'<article class="card s-(\w+)" id="e-(\w+)"', page)
        assert cards == [("held", "held"), ("planned", "plan"), ("unconfirmed", "missed"), ("held", "older")]
        assert "confirmed by 1 of 2 sides" in page
        assert "sources disagree" in page
        rail = page.split("Coming up", 1)[1]
        assert "/events/plan" in rail
        assert "/events/held" not in rail
        filtered = (await reader.get("/?leader=emmanuel-macron&status=planned")).text
        assert re.findall(r'id="e-(\w+)"', filtered) == ["plan"]
        assert 'href="/?leader=emmanuel-macron" title="Remove this filter"' in filtered
        assert "/planned.ics?leader=emmanuel-macron&amp;status=planned" in filtered


async def test_pages_of_events_follow_each_other_by_links(tmp_path):
    async with (
        board(tmp_path, *(event(f"e{n:02}", days_ago=n / 10) for n in range(50))) as place,
        browser(place) as reader,
    ):
        page = (await reader.get("/")).text
        (older,) = re.findall(r'href="(/\?after=[^"]+)"', page)
        more = (await reader.get(older)).text
        assert len(re.findall(r'class="card ', page)) == 40
        assert len(re.findall(r'class="card ', more)) == 10


async def test_an_event_says_what_is_behind_it(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as reader:
        told = event("held")
        place.keep(
            "summitry.deliveries",
            "desk|held",
            Delivery(receiver="desk", event_id="held", told=told, told_at=NOW, route="all"),
        )
        page = (await reader.get("/events/held")).text
        assert 'href="#source-1"' in page
        assert 'id="source-1"' in page
        assert "Where sources disagree" in page
        assert "2 independent reports" in page
        assert "route “all”" in page
        assert "(used here)" in page
        missing = await reader.get("/events/never")
        assert missing.status_code == 404
        assert "may have been merged" in missing.text


async def test_reports_are_grouped_by_their_text(tmp_path):
    sources = (source(1, report=1), source(2, report=1), source(3, report=2))
    async with board(tmp_path, event("e", sources=sources)) as place, browser(place) as reader:
        page = Reader((await reader.get("/events/e")).text).text
        assert "One text in 2 articles" in page
        assert "2 independent reports" in page


async def test_a_merged_event_leads_on(tmp_path):
    async with board(tmp_path, event("b", redirects=("a",))) as place, browser(place, follow_redirects=False) as reader:
        answer = await reader.get("/events/a")
        assert (answer.status_code, answer.headers["Location"]) == (301, "/events/b")


async def test_what_was_only_reported_stands_on_the_day_of_its_report(tmp_path):
    window = When(start=date(2026, 1, 29), end=date(2026, 2, 4), granularity="reported")
    week = When(start=date(2026, 2, 9), end=date(2026, 2, 15), granularity="week")
    events = event("reported", when=window), planned("some-day", "macron merz", NOW.date())
    async with board(tmp_path, events[0], replace(events[1], when=week)) as place, browser(place) as reader:
        page = (await reader.get("/calendar")).text
        assert page.count("/events/reported") == 1, "not on each of the days on which it may have been"
        grid, below = page.split("</table>")[:2]
        assert "/events/reported" in grid
        assert "/events/some-day" not in grid
        assert "Some time in February" in below
        assert "/events/reported" not in (await reader.get("/calendar?month=2026-01")).text
        (pair,) = (await reader.get("/api/v1/pairs")).json()["items"]
        assert (pair["last"], pair["days_since"]) == ("2026-02-04", 0)


async def test_history_tells_what_changed_and_counts_the_rest(tmp_path):
    first = event("a")
    changes = [
        {
            "status": (None, "planned"),
            "confirmed_by": (None, []),
            "participants": (None, ["vladimir-putin", "xi-jinping"]),
        },
        *({"reports": (n, n + 1), "publishers": (n, n)} for n in range(1, 9)),
        {"participants": (["vladimir-putin", "xi-jinping"], ["xi-jinping", "vladimir-putin"])},
        {"status": ("planned", "held"), "confirmed_by": ([], ["xi-jinping"]), "reports": (9, 10)},
    ]
    history = tuple(Change(revision=n, at=NOW, changed=changed) for n, changed in enumerate(changes, 1))
    many = tuple(source(n, f"Article {n}") for n in range(1, 13))
    told = replace(first, revision=11, history=history, sources=many, reports=12)
    async with board(tmp_path, told) as place, browser(place) as reader:
        page = (await reader.get("/events/a")).text
        steps = page.split('<ol class="timeline">')[1].split("</ol>")[0]
        assert steps.count("step-head") == 3
        assert "revisions 2 to 10" in steps
        assert "<del>1</del>" in steps
        assert "<ins>9</ins>" in steps
        assert "Confirmed by: <ins>Xi Jinping</ins>" in " ".join(steps.split())
        assert "none" not in steps
        assert "4 more reports" in page
        assert page.index("Article 8") < page.index("4 more reports") < page.index("Article 9")


async def test_pairs_and_leaders_are_found_by_their_names(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as reader:
        for address in ("/pairs/putin+xi", "/pairs/习近平+Путин", "/leaders/Путин", "/leaders/vladimir-putin"):
            page = await reader.get(address)
            assert "/events/held" in page.text, address
            assert "/events/plan" not in page.text, address
        assert (await reader.get("/leaders/nobody-known")).status_code == 404
        assert (await reader.get("/pairs/nobody")).status_code == 400


async def test_a_call_is_nowhere_on_the_map(tmp_path):
    place_ = Place(name="Beijing", country="CN")
    call, meeting = event("call", place=place_), event("met", medium="in_person", kind="meeting", place=place_)
    async with board(tmp_path, call, meeting) as place, browser(place) as reader:
        page = (await reader.get("/map")).text
        assert "/events/met" in page
        assert "/events/call" not in page


async def test_every_health_of_a_feed_has_its_row(tmp_path):
    async with board(tmp_path) as place, browser(place) as reader:
        for health in get_args(Health):
            name = health.lower()
            place.keep("summitry.feeds", f"a {name}", Subscription(id=name, url=f"https://{name}.example/feed"))
            place.keep("summitry.feed-state", f"a {name}", FeedState(feed=name, health=health))
        page = (await reader.get("/feeds")).text
        assert [f"h-{health}" for health in get_args(Health) if f'class="state h-{health}"' not in page] == []


async def test_long_lists_go_on_and_the_matrix_calls_leaders_as_headlines_do(tmp_path, monkeypatch):
    monkeypatch.setattr(leader_pages, "PAIRS", 2)
    monkeypatch.setattr(leader_pages, "LEADERS", 2)
    events = [event(f"e{n}", who, n) for n, who in enumerate(("putin xi", "macron merz", "macron xi", "modi xi"))]
    async with board(tmp_path, *events) as place, browser(place) as reader:
        first = (await reader.get("/pairs")).text
        assert ">Xi</bdi>" in first
        assert ">Jinping</bdi>" not in first
        rest = (await reader.get("/pairs?after=" + first.split("/pairs?after=")[1].split('"')[0])).text
        assert "/pairs/emmanuel-macron+xi-jinping" in rest.split('aria-label="All pairs"')[1]
        assert "More pairs" not in rest
        assert "No pair matches" in (await reader.get("/pairs?leader=Lula")).text
        first = (await reader.get("/leaders")).text
        rest = (await reader.get("/leaders?after=" + first.split("/leaders?after=")[1].split('"')[0])).text
        assert "More leaders" in rest
        assert "narendra-modi" not in first
        assert "narendra-modi" in (await reader.get("/leaders?q=Modi")).text


async def test_the_calendar_has_plans_and_what_passed_unconfirmed(tmp_path):
    long = When(start=date(2026, 2, 1), end=date(2026, 2, 28), granularity="month")
    async with (
        board(tmp_path, *story(), replace(planned("some", "merz modi", NOW.date()), when=long)) as place,
        browser(place) as reader,
    ):
        page = (await reader.get("/calendar")).text
        assert "February 2026" in page
        assert 'href="/events/plan"' in page.split("<table", 1)[1].split("</table>", 1)[0]
        assert "/events/missed" in page.split("Passed unconfirmed", 1)[1]
        assert "/events/some" in page.split("Some time in February", 1)[1]
        assert (await reader.get("/calendar?month=nonsense")).status_code == 400


async def test_pairs_show_how_long_ago(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as reader:
        page = (await reader.get("/pairs")).text
        assert re.search(r'class="w1"><a href="/pairs/vladimir-putin\+xi-jinping"[^>]*>today<', page)
        assert re.search(r'class="w3"><a href="/pairs/emmanuel-macron\+friedrich-merz"[^>]*>40 d<', page)
        pair = Reader((await reader.get("/pairs/emmanuel-macron+friedrich-merz")).text)
        assert "Days since the last contact\n  40" in re.sub(r" +", " ", pair.text) or "40" in pair.text
        assert pair.tags.count("rect") == 24
        assert (await reader.get("/pairs/nobody")).status_code == 400


async def test_a_leader_has_offices_contacts_and_a_map(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as reader:
        page = Reader((await reader.get("/leaders/xi-jinping")).text)
        assert "General Secretary" in page.text or "President" in page.text
        assert "circle" in page.tags
        found = await reader.get("/leaders?q=макрон")
        assert str(found.url).endswith("/leaders/emmanuel-macron")
        assert (await reader.get("/leaders/nobody-at-all")).status_code == 404


async def test_feeds_in_trouble_come_first(tmp_path):
    async with board(tmp_path) as place, browser(place) as reader:
        for name, health in (("fine", "OK"), ("broken", "ERROR")):
            place.keep(
                "summitry.feeds",
                f"{name}.example {name}",
                Subscription(id=name, url=f"https://{name}.example/feed", outlet=name.title()),
            )
            state = FeedState(
                feed=name,
                health=health,
                health_reason=f"{name} for a reason",
                due_reason="asked hourly",
                last_success=1.7e9,
            )
            place.keep("summitry.feed-state", f"{name}.example {name}", state)
        page = (await reader.get("/feeds")).text
        assert page.index("Broken") < page.index("Fine")
        assert "broken for a reason" in page
        only = (await reader.get("/feeds?health=OK")).text
        assert "broken for a reason" not in only


async def test_the_system_page_counts(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as reader:
        place.context.flow.written = {"summitry.articles": 1234, "summitry.mentions": 56, "summitry.events": 9}
        place.context.flow.waiting = {"summitry.articles": 7}
        letter = DeadLetter(
            id="t:0:1", stage="detect", topic="t", partition=0, offset=1, at=NOW, reason="timeout", error="too slow"
        )
        place.keep("summitry.dead-letters", "t", letter)
        page = Reader((await reader.get("/system")).text).text
        assert "1,234" in page
        assert "7 wait" in page
        assert "too slow" in page
        assert KeptDeadLetter.__struct_fields__[0] == "id"


async def test_an_empty_board_says_what_to_do(tmp_path):
    async with board(tmp_path) as place, browser(place) as reader:
        assert "No contacts yet" in (await reader.get("/")).text
        assert "No event matches" in (await reader.get("/?q=gas")).text
        assert "No feeds yet" in (await reader.get("/feeds")).text
        place.context.progress.done, place.context.progress.total, place.context.progress.read = False, 100, 40
        page = (await reader.get("/")).text
        assert "Reading the topics: 40 %" in page
        assert (await reader.get("/ready")).status_code == 503


async def test_a_slip_in_the_address_is_a_page_that_names_it(tmp_path):
    async with board(tmp_path) as place, browser(place) as reader:
        page = await reader.get("/?status=done")
        assert page.status_code == 400
        assert "known are proposed" in page.text


def hostile():
    bad = replace(PEOPLE["putin"], name=HOSTILE, office=HOSTILE, leader='"><script>alert(1)</script>')
    return event(
        "bad", brief=f"{HOSTILE} [1]", context=HOSTILE, participants=(bad, PEOPLE["xi"]), forum=HOSTILE,
        topics=(HOSTILE,), place=Place(name=HOSTILE, country="FR"),
        alternatives={"place": (Fact(value={"name": HOSTILE, "country": "FR"}, sources=(1,)),)},
        facts={"place": Fact(value={"name": HOSTILE, "country": "FR"}, sources=(1,))},
        sources=(source(1, HOSTILE, url=HOSTILE_URL, outlet=HOSTILE, language=HOSTILE[:20]),),
    )  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/", "/events/bad", "/calendar", "/pairs", "/leaders", "/leaders/xi-jinping", "/map", "/system", "/feeds"]
)
async def test_hostile_texts_are_text(tmp_path, path):
    async with board(tmp_path, hostile()) as place, browser(place) as reader:
        place.keep("summitry.feeds", "a b", Subscription(id="b", url="https://b.example/feed", outlet=HOSTILE))
        place.keep(
            "summitry.feed-state", "a b", FeedState(feed="b", health="ERROR", health_reason=HOSTILE, due_reason=HOSTILE)
        )
        page = await reader.get(path)
        assert page.status_code == 200
        found = Reader(page.text)
        assert found.tags.count("script") == 2
        assert not any(value.lower().strip().startswith("javascript:") for _, _, value in found.attributes)
        assert not set("\u202e\u2066\x00\x07") & set(page.text)
        assert len(page.text) < 400_000
        assert "49" not in re.findall(r"\{\{7\*7\}\}|49", found.text)


async def test_leaders_and_pairs_are_typed_by_name(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as reader:
        page = (await reader.get("/?leader=%D0%9C%D0%B0%D0%BA%D1%80%D0%BE%D0%BD&pair=Macron+%2B+Friedrich+Merz")).text
        assert re.findall(r'id="e-(\w+)"', page) == ["missed", "older"]
        assert 'name="leader" id="leader" list="leaders-offered" value="Emmanuel Macron"' in page
        assert 'list="pairs-offered" value="Emmanuel Macron + Friedrich Merz"' in page
        assert "<option>Xi Jinping</option>" in page
        assert "<option>Vladimir Putin + Xi Jinping</option>" in page
        assert "/events.atom?leader=emmanuel-macron&amp;pair=emmanuel-macron%2Bfriedrich-merz" in page
        unknown = await reader.get("/?leader=Nobody+Ever")
        assert (unknown.status_code, "or a name" in unknown.text) == (400, True)


async def test_who_may_only_read_sees_who_has_seen_it(tmp_path):
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text(f"tokens:\n- {{name: dashboard, sha256: {hashlib.sha256(b'reader-token').hexdigest()}}}\n")
    known = {"Authorization": "Bearer reader-token"}
    async with board(tmp_path, *story(), tokens=tokens) as place, browser(place, headers=known) as reader:
        assert "Nobody has marked it as seen yet" in (await reader.get("/events/held")).text
        place.keep("summitry.acks", "held", Ack(event_id="held", by="Bo", at=NOW))
        page = Reader((await reader.get("/events/held")).text).text
        assert "At the desk" in page
        assert "Seen by Bo" in page
        assert "Mark as seen" not in page


async def test_what_many_ask_for_is_made_once_and_changes_with_the_archive(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as reader:
        made: list[str] = []
        environment = place.site[TEMPLATES]
        get = environment.get_template
        environment.get_template = lambda name, *rest: made.append(name) or get(name, *rest)
        pages = await asyncio.gather(*(reader.get("/calendar") for _ in range(8)))
        assert made.count("calendar.html") == 1
        assert len({page.text for page in pages}) == 1
        await place.bring(planned("fresh", "modi xi", date(2026, 2, 20)))
        assert "/events/fresh" in (await reader.get("/calendar")).text


async def test_a_failure_is_not_kept_for_the_next(tmp_path):
    recent: RecentAnswers[str] = RecentAnswers(60, 2)

    async def fail() -> str:
        raise LookupError

    async def make() -> str:
        made.append(1)
        return "made"

    made: list[int] = []
    with pytest.raises(LookupError):
        await recent.get("a", fail)
    assert await recent.get("a", make) == "made"
    for key in ("a", "b", "c", "a"):
        await recent.get(key, make)
    assert len(made) == 4, "the oldest of three has gone"


async def test_one_thread_gathers_what_to_filter_by_and_the_others_take_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with board(tmp_path) as made:
        context, known = made.context, made.context.choices()
        gathering, go_on, gathered = threading.Event(), threading.Event(), []

        def slowly() -> FilterChoices:
            gathered.append(1)
            gathering.set()
            assert go_on.wait(10)
            return FilterChoices((), (), ())

        monkeypatch.setattr(context, "_gathered", slowly)
        monkeypatch.setattr("agents.board.context._CHOICES_FOR", -1.0)
        first = asyncio.create_task(context.ask(context.choices))
        assert await asyncio.to_thread(gathering.wait, 10)
        assert await context.ask(context.choices) == known, "what was gathered a while ago, at once"
        go_on.set()
        assert await first == FilterChoices((), (), ())
        assert gathered == [1]

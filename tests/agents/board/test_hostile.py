"""Test that hostile texts are escaped on every route of the board; the routes are taken from its router."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET

import feedparser
import icalendar
import pytest
from msgspec.structs import replace

from agents.stream.dead_letters import DeadLetter
from monitor.archive.exports import FORMATS
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.notify import Ack, Delivery, Feedback
from monitor.records import Event, Fact, Place
from tests.agents.board.boards import Board, board, browser
from tests.agents.board.test_pages import Reader
from tests.monitor.archive.samples import HOSTILE, NOW, PEOPLE, event, planned, source

NASTY = (
    "<img src=x onerror=alert(1)><svg/onload=alert(2)>",
    "</title></textarea></script><script>alert(1)</script>",
    "\" autofocus onfocus=alert(1) x='",
    "\u202e\u2066moc.elpmaxe\u2069\u200f\u061c bidi",
    "]]><!-- --><![CDATA[ x &amp; &#x0; &lt;script&gt;",
    "line\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil\r\n",
    "data: x\n\nevent: reset\ndata: y",
    '=HYPERLINK("https://evil.example","x")',
    "{{7*7}} {% raw %} ${7*7} #{7*7}",
    "\x00\x01\x1b[2J\x7f\x85\ufeff\ufffe",
    "https://evil.example/ javascript:alert(1)",
    "ب" * 5000 + "字" * 5000,
    HOSTILE,
)
URLS = ("javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "//evil.example/x", " jAvAsCrIpT:alert(1)")
FORBIDDEN = {*"\u202e\u2066\u2069\u200f\u061c\x00\x01\x07\x1b\x7f"}


def bad(text: str, number: int) -> tuple[Event, Event]:
    """Two events that carry the text wherever a text can be."""
    person = replace(PEOPLE["macron"], name=text, office=text, role=text[:200])
    place = {"name": text, "country": "FR"}
    common = {
        "participants": (person, PEOPLE["xi"]), "brief": f"{text} [1]", "context": text,
        "forum": text, "topics": (text,),
        "facts": {"place": Fact(value=place, sources=(1,)), "forum": Fact(value=text, sources=(1,))},
        "alternatives": {"place": (Fact(value=place, sources=(1,)),)},
        "sources": (source(1, text, url=URLS[number % len(URLS)], outlet=text, publisher=text, language=text[:8]),),
        "place": Place(name=text, country="FR"),
    }  # fmt: skip
    first = event("bad", "macron xi")
    step = replace(first.history[0], changed={"forum": (text, text), "place": (None, place)})
    return replace(first, history=(step,), **common), replace(planned("plan", "macron xi", NOW.date()), **common)


def keep_all(place: Board, text: str) -> None:
    """Let the text come in on every other topic too."""
    told = event("bad", brief=text)
    place.keep("summitry.acks", "bad", Ack(event_id="bad", by=text, at=NOW))
    place.keep("summitry.feedback", "bad", Feedback(event_id="bad", verdict="wrong", by=text, at=NOW, comment=text))
    delivery = Delivery(receiver=text[:60] or "x", event_id="bad", told=told, told_at=NOW, route=text)
    place.keep("summitry.deliveries", "x|bad", delivery)
    place.keep("summitry.feeds", "a b", Subscription(id="b", url="https://b.example/feed", outlet=text))
    state = FeedState(feed="b", health="ERROR", health_reason=text, due_reason=text)
    place.keep("summitry.feed-state", "a b", state)
    letter = DeadLetter(id="t:0:1", stage=text, topic="t", partition=0, offset=1, at=NOW, reason=text, error=text)
    place.keep("summitry.dead-letters", "t", letter)


def addresses(place: Board) -> list[str]:
    """An address for each thing that can be got."""
    found = set()
    for route in place.site.router.routes():
        path = route.resource.canonical if route.resource else ""
        if route.method != "GET" or path.startswith("/static/") or path in {"/changes", "/theme"}:
            continue
        path = path.replace("{event_id}", "bad").replace("{leader}", "emmanuel-macron").replace("{rest}", "nothing")
        path = path.replace("{pair}", "emmanuel-macron+xi-jinping")
        assert "{" not in path.replace("{format}", ""), f"say what {path} is got with"
        found |= {path.replace("{format}", name) for name in FORMATS} if "{format}" in path else {path}
    return sorted(found)


def check_page(text: str) -> None:
    page = Reader(text)
    assert page.tags.count("script") == 2
    assert not {"iframe", "img", "object", "embed", "style", "textarea"} & set(page.tags)
    assert not FORBIDDEN & set(text)
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        if name in {"href", "src", "action"}:
            start = value.strip().lower()
            assert not start.startswith(("javascript:", "data:", "//")), value
    assert len(text) < 400_000


def check_document(address: str, kind: str, body: bytes) -> None:
    """A document is well formed, and nothing in it is more than text."""
    if "xml" in kind:
        for element in ET.fromstring(body).iter():
            if element.get("type") in {"html", "xhtml"}:
                assert not {"script", "img", "svg", "iframe"} & set(Reader(element.text or "").tags)
        for entry in feedparser.parse(body).entries:
            assert entry.link.startswith("http://127.0.0.1:")
            assert entry.title_detail.type == "text/plain"
    elif "calendar" in kind:
        calendar = icalendar.Calendar.from_ical(body)
        assert {str(each["UID"]) for each in calendar.walk("VEVENT")} <= {"bad", "plan"}
    elif "ndjson" in kind or address.endswith("jsonl"):
        assert all(json.loads(line) for line in body.splitlines())
    elif "json" in kind:
        json.loads(body)
    elif "csv" in kind:
        rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
        assert len(rows) == 3
        assert not [cell for row in rows[1:] for cell in row if cell.startswith(("=", "@", "\t", "\r"))]


@pytest.mark.parametrize("number", range(len(NASTY)))
async def test_every_route_shows_it_as_text(tmp_path, number):
    text = NASTY[number]
    async with board(tmp_path, *bad(text, number)) as place, browser(place) as reader:
        keep_all(place, text)
        got = addresses(place)
        assert {"/", "/events/bad", "/events.atom", "/planned.ics", "/api/v1/events", "/export/csv"} <= set(got)
        for address in got:
            answer = await reader.get(address)
            assert answer.status_code in {200, 404}, (address, answer.text[:500])
            assert answer.headers["X-Content-Type-Options"] == "nosniff", address
            kind = answer.headers["Content-Type"]
            if kind.startswith("text/html"):
                check_page(answer.text)
            else:
                check_document(address, kind, answer.content)

"""Provide two weeks of invented events and outlets, for pictures of the board and for browsing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from msgspec.structs import replace

from agents.stream.dead_letters import DeadLetter
from monitor.config import Match
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.notify import Ack, Delivery, Silence
from monitor.records import Change, Event, EventSource, Fact, Participant, Place, When
from tests.agents.board.boards import Board
from tests.monitor.archive.samples import NOW, PEOPLE, TODAY, event

PEOPLE_HERE = {
    **PEOPLE,
    "meloni": Participant(leader="giorgia-meloni", name="Giorgia Meloni", country="IT", office="Prime Minister"),
    "lula": Participant(leader="luiz-inacio-lula-da-silva", name="Lula", country="BR", office="President"),
    "sisi": Participant(leader="abdel-fattah-el-sisi", name="Abdel Fattah el-Sisi", country="EG", office="President"),
    "tusk": Participant(leader="donald-tusk", name="Donald Tusk", country="PL", office="Prime Minister"),
}
BEIJING, PARIS = Place(name="Beijing", country="CN"), Place(name="Paris", country="FR")
BERLIN, CAIRO = Place(name="Berlin", country="DE"), Place(name="Cairo", country="EG")
BRASILIA, ROME = Place(name="Brasilia", country="BR"), Place(name="Rome", country="IT")

TITLES = (
    ("Sample Post", "en", "Putin and Xi speak by video for an hour"),
    ("Courrier Exemple", "fr", "Poutine et Xi se parlent en visioconférence"),
    ("Пример", "ru", "Путин и Си провели видеозвонок"),
    ("示例日报", "zh", "习近平同普京举行视频会晤"),
    ("صحيفة النموذج", "ar", "بوتين وشي يجريان محادثة عبر الفيديو"),
    ("Sample Wire", "en", "Leaders of Russia and China hold video call"),
    ("Beispiel am Morgen", "de", "Putin und Xi sprechen per Video"),
)


def sources() -> tuple[EventSource, ...]:
    reports = (1, 2, 3, 4, 5, 1, 1)
    return tuple(
        EventSource(
            n=n, article_id=f"a{n}", url=f"https://news{n}.example.org/{n}", outlet=outlet, publisher=outlet,
            official=n == 4, speaks_for="CN" if n == 4 else "", report=reports[n - 1], title=title, language=language,
            published=NOW - timedelta(minutes=80 - 9 * n),
        )
        for n, (outlet, language, title) in enumerate(TITLES, 1)
    )  # fmt: skip


def call() -> Event:
    """The event whose page is looked at: seven articles, five texts, one side confirms, two say otherwise."""
    start = Change(revision=1, at=NOW - timedelta(minutes=71), changed={"status": (None, "ongoing")}, article_id="a1")
    later = Change(
        revision=2, at=NOW - timedelta(minutes=40), article_id="a4",
        changed={"status": ("ongoing", "held"), "confirmed_by": ([], ["xi-jinping"])},
    )  # fmt: skip
    return event(
        "c0ffee00c0ffee00", revision=2, sources=sources(), publishers=7, reports=5, official=True,
        confirmed_by=("xi-jinping",), confidence=0.97, topics=("energy", "trade"),
        first_seen=NOW - timedelta(minutes=71),
        place=BEIJING, history=(start, later),
        facts={
            "status": Fact(value="held", sources=(1, 2, 3, 4, 5, 7), reports=5),
            "medium": Fact(value="video", sources=(1, 2, 3, 4, 6, 7), reports=4),
            "when": Fact(value={"start": "2026-02-04", "end": "2026-02-04", "granularity": "day"}, sources=(1, 4, 7)),
            "participants": Fact(value=["vladimir-putin", "xi-jinping"], sources=(1, 2, 3, 4, 5, 6, 7)),
            "place": Fact(value={"name": "Beijing", "country": "CN"}, sources=(5,)),
        },
        alternatives={"medium": (Fact(value="phone", sources=(5,)),)},
        brief=(
            "Russian President Vladimir Putin and Chinese President Xi Jinping held a video call on Wednesday "
            "4 February 2026 [1, 2, 3, 4, 7]. One source gives Beijing as the place [5]. "
            "The medium is phone according to 1 of 7 [5]. "
            "Chinese official sources report it [4]."
        ),
        context="Their first contact in two months.",
    )  # fmt: skip


def contact(  # noqa: PLR0917  # a table of events, a row each
    number: int, who: str, days: float, kind: str, medium: str, status: str, **more: Any
) -> Event:
    people = tuple(PEOPLE_HERE[name] for name in who.split())
    day = TODAY - timedelta(days=int(days))
    made = event(
        f"{number:016x}",
        "putin xi",
        max(days, 0.02 * number) if days > 0 else days,
        kind=kind,
        medium=medium,
        status=status,
        **more,
    )
    when = more.get("when", When(start=day, end=day))
    noun = {"call": "a phone call", "visit": "talks during a visit"}.get(kind, f"a {kind}")
    brief = f"{' and '.join(p.name for p in people)}: {noun}, {status} [1]."
    return replace(made, participants=people, when=when, brief=brief)


def on(day: date) -> When:
    return When(start=day, end=day)


def story() -> tuple[Event, ...]:
    """Everything that is on the board when it opens."""
    ahead = lambda days: on(TODAY + timedelta(days=days))  # noqa: E731
    return (
        call(),
        contact(2, "macron merz", 0.1, "visit", "in_person", "ongoing", place=PARIS, reports=4, publishers=6),
        contact(3, "modi meloni", 0.2, "visit", "in_person", "planned", place=ROME, when=ahead(3), reports=2),
        contact(4, "lula macron", 0.3, "summit", "in_person", "planned", place=BRASILIA, when=ahead(8), forum="G20"),
        contact(5, "tusk merz", 0.5, "meeting", "in_person", "rescheduled", place=BERLIN, when=ahead(12)),
        contact(6, "sisi macron", 0.8, "call", "phone", "held", confirmed_by=("abdel-fattah-el-sisi",), official=True),
        contact(7, "xi lula", 1, "call", "video", "denied", confidence=0.55),
        contact(8, "putin modi", 1.4, "call", "phone", "held"),
        contact(9, "meloni merz", 2, "meeting", "in_person", "cancelled", place=ROME),
        contact(10, "sisi meloni", 3, "visit", "in_person", "held", place=CAIRO, reports=5, publishers=8),
        contact(11, "tusk macron", 3, "meeting", "in_person", "unconfirmed", place=PARIS),
        contact(12, "xi macron", 6, "visit", "in_person", "held", place=BEIJING, reports=9, publishers=14),
        contact(13, "modi xi", 9, "meeting", "in_person", "postponed", when=ahead(1)),
        contact(14, "lula xi", 12, "visit", "in_person", "held", place=BEIJING),
        contact(15, "putin xi", 47, "call", "phone", "held"),
        contact(16, "merz macron", 21, "meeting", "in_person", "held", place=BERLIN),
        contact(17, "modi macron", 33, "visit", "in_person", "held", place=PARIS),
        contact(18, "meloni macron", 5, "call", "video", "proposed", when=None),
    )


#: What arrives while somebody looks.
def news() -> Event:
    return contact(99, "lula meloni", -0.05, "call", "video", "held")


FEEDS = (
    ("sample-post", "Sample Post", "en", "OK", "", 40, 20, "its headers say so"),
    ("courrier-exemple", "Courrier Exemple", "fr", "OK", "", 300, 45, "asked hourly, it prints often in the morning"),
    ("beispiel", "Beispiel am Morgen", "de", "STALE", "nothing new for 3 days", 260_000, 900, "quiet"),
    ("primer", "Пример", "ru", "ERROR", "503 for an hour", 4000, 600, "waits longer after each failure"),
    ("shili", "示例日报", "zh", "OK", "", 90, 30, "it prints every few minutes"),
    ("namudhaj", "صحيفة النموذج", "ar", "BLOCKED", "403, its robots.txt forbids it", 90_000, 86_400, "once a day"),
    ("sample-wire", "Sample Wire", "en", "OK", "", 15, 10, "WebSub tells of news, polls are a check"),
)  # fmt: skip


def furnish(place: Board) -> None:
    """Let everything else come in that a board shows: feeds, deliveries, what readers did, a dead letter, the flow."""
    now = NOW.timestamp()
    for name, outlet, language, health, why, ago, due, reason in FEEDS:
        key = f"{name}.example {name}"
        feed = Subscription(id=name, url=f"https://{name}.example/feed", outlet=outlet, language=language)
        place.keep("summitry.feeds", key, feed)
        state = FeedState(
            feed=name, health=health, health_reason=why, last_success=now - ago, last_new=now - ago * 2,
            next_due=now + due, due_reason=reason,
        )  # fmt: skip
        place.keep("summitry.feed-state", key, state)
    for number, told in enumerate(story()[:9]):
        for receiver in ("desk-slack", "risk-webhook")[: 1 + number % 2]:
            delivery = Delivery(
                receiver=receiver, event_id=told.event_id, told=told, told_at=told.last_seen, route="everything"
            )
            place.keep("summitry.deliveries", f"{receiver}|{told.event_id}", delivery)
    place.keep("summitry.acks", call().event_id, Ack(event_id=call().event_id, by="Ada", at=NOW - timedelta(minutes=9)))
    quiet = Silence(
        id="5f2c", match=Match(pairs=("emmanuel-macron+friedrich-merz",), kinds=("visit",)),
        until=NOW + timedelta(hours=4), reason="our reporter is in the room", by="Grace", since=NOW,
    )  # fmt: skip
    place.keep("summitry.silences", quiet.id, quiet)
    letter = DeadLetter(
        id="summitry.articles:0:1207", stage="detect", topic="summitry.articles", partition=0, offset=1207,
        at=NOW - timedelta(hours=2), reason="timeout", error="detection took longer than 5 s",
    )  # fmt: skip
    place.keep("summitry.dead-letters", "summitry.articles", letter)
    place.context.flow.written = {"summitry.articles": 48_213, "summitry.mentions": 911, "summitry.events": 402}
    place.context.flow.waiting = {"summitry.articles": 12, "summitry.mentions": 0, "summitry.events": 0}

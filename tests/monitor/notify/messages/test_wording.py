"""Test every message that a receiver can get, with text files that an editor can read.

With UPDATE_GOLDEN=1 in the environment this test writes the files anew; read the diff.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from monitor.config import EmailReceiver
from monitor.notify.logbook import Delivery, Pending
from monitor.notify.messages.compose import Message, compose, gathered, notice
from monitor.notify.messages.plain import plain_text
from monitor.notify.messages.wording import wording
from monitor.notify.policy.decision import decide
from monitor.notify.receivers.console import Console
from monitor.notify.receivers.mail import Email
from monitor.notify.receivers.slack import slack_blocks
from monitor.notify.replies.ack import PURPOSES, Ack
from monitor.records import Event, Participant, Place, When
from tests.monitor.notify.samples import BEIJING, NOW, event, policy, sources
from tests.receivers.slack import Posted, _problem

WORDINGS = Path(__file__).parents[1] / "wordings"
MAIL = Email(EmailReceiver(host="h", sender="alerts@example.org", to=("desk@example.org",)))
RULES = policy(update_wait=timedelta(0), max_age=timedelta(days=999))


def person(leader: str, name: str, country: str, office: str = "President", role: str = "") -> Participant:
    return Participant(leader=leader, name=name, country=country, office=office, role=role)


MODI = person("narendra-modi", "Narendra Modi", "IN", "Prime Minister")
LULA = person("luiz-inacio-lula-da-silva", "Luiz Inácio Lula da Silva", "BR")
MELONI = person("giorgia-meloni", "Giorgia Meloni", "IT", "Prime Minister")
SANCHEZ = person("pedro-sanchez", "Pedro Sánchez", "ES", "Prime Minister")
ERDOGAN = person("recep-tayyip-erdogan", "Recep Tayyip Erdoğan", "TR")
LEYEN = person("ursula-von-der-leyen", "Ursula von der Leyen", "EU", "President of the European Commission")
ROME, DELHI = Place(name="Rome", country="IT"), Place(name="New Delhi", country="IN")
TITLE = "Sample: Modi and Lula speak of trade"


def role(who: Participant, part: str) -> Participant:
    return msgspec.structs.replace(who, role=part)


def on(*days: int, granularity: Any = "day", month: int = 2) -> When:
    dates = [date(2026, month, day) for day in days]
    return When(start=dates[0], end=dates[-1], granularity=granularity)


def told(*people: Participant, brief: str = "", **changes: Any) -> Event:
    publishers = changes.pop("publishers", 2)
    return event(
        participants=people, brief=brief, publishers=publishers, reports=publishers,
        sources=sources(publishers, title=TITLE), **changes,
    )  # fmt: skip


MEETING: dict[str, Any] = {"kind": "meeting", "medium": "in_person"}
VISIT: dict[str, Any] = {**MEETING, "kind": "visit", "place": ROME}
GUEST, HOST = role(MODI, "visitor"), role(MELONI, "host")
PLAN = told(GUEST, HOST, **VISIT, status="planned", when=on(18, 19, granularity="range"))

#: First messages: an event of each kind, status and uncertainty.
FIRST: dict[str, Event] = {
    "call-by-video": told(MODI, LULA, when=on(4), brief="Modi and Lula held a video call on Wednesday 4 February [1]."),
    "call-by-phone-one-caller": told(role(ERDOGAN, "caller"), MELONI, kind="call", medium="phone", when=on(4)),
    "call-of-one-source": told(SANCHEZ, MELONI, kind="call", medium="phone", publishers=1, when=on(4)),
    "call-confirmed-officially": told(
        MODI, LULA, medium="phone", official=True, confirmed_by=("narendra-modi",), when=on(4), publishers=3
    ),
    "call-with-its-place": told(MODI, LULA, medium="phone", place=DELHI, when=on(4)),
    "call-without-a-day": told(MODI, LULA, medium="phone", when=on(3, 4, granularity="reported")),
    "call-of-unknown-medium": told(MODI, LULA, medium="unknown", when=None),
    "call-of-three": told(MODI, LULA, ERDOGAN, when=on(4)),
    "meeting-held": told(SANCHEZ, MELONI, **MEETING, place=ROME, when=on(3)),
    "meeting-without-a-place": told(SANCHEZ, MELONI, **MEETING, when=on(3)),
    "meeting-on-the-margins": told(SANCHEZ, MELONI, **MEETING, forum="Sample Forum", place=ROME, when=on(3)),
    "meeting-some-time-in-a-week": told(SANCHEZ, LULA, **MEETING, status="planned", when=on(9, 15, granularity="week")),
    "meeting-by-the-end-of-march": told(
        SANCHEZ, LULA, **MEETING, status="planned", when=on(31, granularity="until", month=3)
    ),
    "meeting-proposed": told(ERDOGAN, MODI, **MEETING, status="proposed", when=None),
    "visit-planned": PLAN,
    "visit-under-way": told(GUEST, HOST, **VISIT, status="ongoing", when=on(4)),
    "visit-held": told(GUEST, HOST, **VISIT, when=on(2, 3, granularity="range")),
    "summit-of-many": told(
        MODI, LULA, ERDOGAN, MELONI, SANCHEZ, LEYEN, kind="summit", medium="in_person", place=ROME, when=on(3)
    ),
    "talks-by-video": told(LEYEN, MODI, kind="talks", medium="video", when=on(4), topics=("trade",)),
    "postponed": told(SANCHEZ, LULA, **MEETING, status="postponed", when=None),
    "called-off": told(SANCHEZ, LULA, **MEETING, status="cancelled", when=on(11)),
    "denied": told(ERDOGAN, MODI, kind="call", medium="phone", status="denied", when=on(3)),
}
#: Updates: what was told, and what is known now.
UPDATES: dict[str, tuple[Event, Mapping[str, Any]]] = {
    "update-new-date": (PLAN, {"status": "rescheduled", "when": on(25, 26, granularity="range")}),
    "update-date-known": (FIRST["meeting-proposed"], {"status": "planned", "when": on(20)}),
    "update-held": (PLAN, {"status": "held"}),
    "update-place": (FIRST["meeting-without-a-place"], {"place": ROME}),
    "update-other-place": (FIRST["meeting-held"], {"place": Place(name="Milan", country="IT")}),
    "update-medium": (FIRST["call-by-video"], {"medium": "phone"}),
    "update-participants": (FIRST["call-by-video"], {"participants": (MODI, LULA, ERDOGAN)}),
    "update-second-publisher": (FIRST["call-of-one-source"], {"publishers": 2, "reports": 2, "sources": sources(2)}),
    "update-official-source": (FIRST["call-of-one-source"], {"official": True, "confirmed_by": ("pedro-sanchez",)}),
    "update-coverage": (FIRST["call-by-video"], {"publishers": 9, "reports": 7, "sources": sources(9)}),
    "update-called-off": (PLAN, {"status": "cancelled"}),
    "update-unconfirmed": (PLAN, {"status": "unconfirmed"}),
    "update-denied": (FIRST["call-by-video"], {"status": "denied"}),
    "update-retracted": (
        FIRST["call-by-video"],
        {"status": "retracted", "sources": (), "publishers": 0, "reports": 0, "official": False, "brief": ""},
    ),
    "update-merged": (FIRST["call-by-video"], {"merged_into": "ev-2"}),
}


def first(about: Event) -> Message:
    decision = decide(policy(), "desk", about, None, NOW)
    reason = decision.tell or "first"
    waiting = Pending(event=about, tell="first", reason=reason, route="all", since=NOW, due=NOW)
    return compose(wording(), RULES, Delivery(receiver="desk", event_id=about.event_id), waiting)


def update(before: Event, changes: Mapping[str, Any]) -> Message:
    now_is = msgspec.structs.replace(before, revision=2, **changes)
    decision = decide(RULES, "desk", now_is, before, NOW, told_route="all")
    assert decision.tell is not None
    waiting = Pending(
        event=now_is, tell=decision.tell, reason=decision.reason, changed=decision.changed, since=NOW, due=NOW
    )
    return compose(wording(), RULES, Delivery(receiver="desk", event_id="ev-1", told=before, route="all"), waiting)


def reminder(about: Event) -> Message:
    waiting = Pending(event=about, tell="reminder", reason="reminder", since=NOW, due=NOW)
    known = Delivery(receiver="desk", event_id="ev-1", told=about, route="all")
    return compose(
        wording(), RULES, known, waiting, urls={purpose: f"https://desk.example/{purpose}" for purpose in PURPOSES}
    )


def answered(about: Event, **said: Any) -> Message:
    waiting = Pending(event=about, tell="quiet", reason="acknowledged", since=NOW, due=NOW)
    known = Delivery(receiver="desk", event_id="ev-1", told=about, route="all")
    return compose(wording(), RULES, known, waiting, ack=Ack(event_id="ev-1", by="Ada", at=NOW, **said))


def several(batch: str, *names: str) -> Message:
    items = [first(msgspec.structs.replace(FIRST[name], event_id=name)) for name in names]
    return gathered(wording(zone="Europe/Rome"), items, "msg_batch", batch)


MORNING = ("call-by-video", "visit-planned", "called-off", "summit-of-many", "talks-by-video")
CASES: dict[str, Message] = {
    **{name: first(about) for name, about in FIRST.items()},
    **{name: update(*change) for name, change in UPDATES.items()},
    "seen": answered(FIRST["call-by-video"]),
    "said-to-be-wrong": answered(FIRST["call-by-video"], verdict="wrong"),
    "reminder": reminder(FIRST["call-by-video"]),
    "digest": several("digest:daily:2026-02-04T17:00:00+00:00", *MORNING),
    "quiet-hours": several("quiet:2026-02-04T06:00:00+00:00", *MORNING[:2]),
    "storm": several("storm:2026-02-04T12:05:00+00:00", *MORNING[1:]),
    "notice": notice(wording(), "desk", "msg_n", title=wording().silent, text="No feed had anything new.", at=NOW),
}


def shown(node: object) -> list[str]:
    """The texts of Slack's blocks, one line each."""
    if isinstance(node, dict):
        own = [str(node["text"])] if isinstance(node.get("text"), str) else []
        return own + [text for value in node.values() for text in shown(value)]
    return [text for item in node for text in shown(item)] if isinstance(node, list) else []


def blocks_of(case: Message) -> list[slack_blocks.Block]:
    reply = case.tell in {"loud", "reminder", "merged"}
    return slack_blocks.update(case) if reply else slack_blocks.alert(case)


def text_of(case: Message) -> str:
    mail = MAIL.mail(case, None)
    parts = {
        "On a locked phone": case.title,
        "Subject of a mail": str(mail["Subject"]),
        "Slack, notification": slack_blocks.fallback(case, prefixed=True),
        "Slack, message": "\n".join(shown(blocks_of(case))),
        "Mail, Teams, ntfy and others": plain_text(case),
        "Console": Console(colour=False).text(case),
    }
    return "\n\n".join(f"== {name} ==\n{text}" for name, text in parts.items()) + "\n"


@pytest.mark.parametrize("name", CASES)
def test_every_message_reads_as_its_file(name: str) -> None:
    file, text = WORDINGS / f"{name}.txt", text_of(CASES[name])
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8"), f"{file.name} differs; see the top of this file"


def test_no_file_is_left_of_a_message_that_is_no_more() -> None:
    assert {file.stem for file in WORDINGS.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_no_message_says_nothing_in_many_words(name: str) -> None:
    case, text = CASES[name], text_of(CASES[name])
    for empty in ("not known\n", "None", "unknown", "$", " ,", "()", "0 publishers", "  ·"):
        assert empty not in text
    assert all(value for _, value in case.facts)
    assert case.title in text


@pytest.mark.parametrize("name", CASES)
def test_the_limits_of_each_receiver_hold(name: str) -> None:
    case = CASES[name]
    assert len(case.title) <= 150, "a notification is one line"
    for blocks in (slack_blocks.alert(case), slack_blocks.update(case)):
        text = slack_blocks.fallback(case)
        assert _problem({"text": text, "blocks": blocks}) is None
        assert not Posted("1", "C", text, blocks, None).pings()


@pytest.mark.parametrize("name", UPDATES)
def test_an_update_says_what_is_new_first_and_the_old_value(name: str) -> None:
    case, (before, _) = CASES[name], UPDATES[name]
    if case.tell != "loud":
        return
    news, _, line = case.title.partition(" · ")
    assert case.headline.startswith(line.split(",")[0])
    assert news != line
    assert case.changed
    assert "(before: " in "".join(case.changed) or name in {"update-place", "update-official-source"}
    if "place" in name and before.place:
        assert case.title.startswith("New place: Milan, Italy (was Rome, Italy)")


def test_a_digest_names_its_events_and_when_it_is_sent() -> None:
    case = CASES["digest"]
    assert case.title.startswith("Digest, Wed 4 Feb 18:00: Modi–Lula")
    assert case.title.endswith("and 2 more")
    assert f"{MAIL.mail(case, None)['Date']}".startswith("Wed, 04 Feb 2026 17:00:00")
    for item in case.items:
        assert item.headline in plain_text(case)
        assert item.why in plain_text(case)
    assert "Rome, Italy" in plain_text(case)
    assert BEIJING.name not in plain_text(case)

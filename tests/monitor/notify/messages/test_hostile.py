"""Test that events with extreme values are put into words in the format of every receiver."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import msgspec
import pytest

from monitor.config import EmailReceiver
from monitor.notify import Delivery, Pending
from monitor.notify.logbook import TELLS
from monitor.notify.messages.cloudevents import body
from monitor.notify.messages.compose import Message, compose, gathered
from monitor.notify.messages.plain import plain_text
from monitor.notify.messages.wording import wording
from monitor.notify.receivers.mail import Email
from monitor.notify.receivers.slack import slack_blocks
from monitor.records import (
    EVENT_STATUSES,
    KINDS,
    MEDIA,
    Event,
    EventSource,
    Granularity,
    Participant,
    Place,
    When,
    decode,
    encode,
)
from tests.monitor.notify.samples import NOW, policy

TEXTS = (
    "", " ", "\0", "a|b", "x" * 20_000, "\u202eback", "\n\r\t", "<script>", "{} %s $name", "vladimir-putin",
    "xi-jinping", "\U0001f600", "http://[", "javascript:alert(1)", "<!channel> *x* <http://a|b>", "[1] [1,2,99999999]",
)  # fmt: skip
DAYS = (date.min, date.max, date(2026, 2, 4), date(2026, 2, 10), date(1999, 12, 31))
MOMENTS = (
    None, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC), NOW, datetime(1960, 1, 1, tzinfo=UTC),
)  # fmt: skip
NUMBERS = (0, 1, 2, -1, 2**31, 2**63 - 1, -(2**63))
CHANGES = ("status", "time", "place", "medium", "participants", "threshold", "coverage", "text", "a word of no rule")
BATCHES = ("", "storm:2026-99-99T00:00:00", "quiet:9999-12-31T23:59:59+00:00", "digest:a:2026-02-04T12:00:00Z")

pytestmark = pytest.mark.slow


def hostile(dice: random.Random) -> Event:
    """An event that decodes, and that no assembler would make."""
    text, number, moment = (lambda of=of: dice.choice(of) for of in (TEXTS, NUMBERS, MOMENTS))
    leaders = tuple(
        Participant(leader=text(), name=text(), country=dice.choice(("RU", "", "??")), office=text(), role=text())
        for _ in range(dice.choice((0, 1, 2, 2, 3, 30)))
    )
    sources = tuple(
        EventSource(
            n=number(), article_id=text(), url=text(), outlet=text(), publisher=text(), official=dice.random() < 0.3,
            published=moment(), report=number(), title=text(), language=text(), revision=number(),
        )
        for _ in range(dice.choice((0, 1, 2, 50)))
    )  # fmt: skip
    when = When(start=dice.choice(DAYS), end=dice.choice(DAYS), granularity=dice.choice(get_args(Granularity)))
    made = Event(
        event_id=text(), revision=number(), participants=leaders, kind=dice.choice(KINDS), medium=dice.choice(MEDIA),
        status=dice.choice(EVENT_STATUSES), when=dice.choice((None, when)),
        place=dice.choice((None, Place(name=text()))), forum=dice.choice((None, text())), sources=sources,
        publishers=number(), reports=number(),
        official=dice.random() < 0.3, confirmed_by=(text(),), confidence=dice.choice((0.5, -1e308, 1e308)),
        first_seen=moment(), last_seen=moment(), brief=text(), context=text(), merged_into=dice.choice((None, text())),
    )  # fmt: skip
    return decode(Event, encode(made))


def forms(message: Message, mailer: Email) -> list[Any]:
    """The message as webhook, Slack, mail, console and apprise have it."""
    return [
        msgspec.json.encode(body(message)),
        msgspec.json.encode(slack_blocks.alert(message)),
        msgspec.json.encode(slack_blocks.update(message)),
        slack_blocks.fallback(message),
        mailer.mail(message, None).as_bytes(),
        mailer.mail(message, {"message_id": "<a@b.example>", "subject": message.title}).as_bytes(),
        plain_text(message),
    ]


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Auckland", "America/Los_Angeles"])
def test_any_event_is_put_into_words(zone: str) -> None:
    dice, words = random.Random(zone), wording(zone=zone)
    config = EmailReceiver(host="mail.example", sender="Desk <desk@news.example>", to=("a@b.example",))
    mailer = Email(config)
    for _ in range(60):
        about, told = hostile(dice), dice.choice((None, hostile(dice)))
        delivery = Delivery(receiver="desk", event_id=about.event_id, told=told, route="all")
        changed = tuple(dice.sample(CHANGES, dice.randrange(3)))
        pending = Pending(event=about, tell=dice.choice(TELLS), reason="first", changed=changed, since=NOW, due=NOW)
        message = compose(words, policy(), delivery, pending, board="https://board.example")
        for each in (message, gathered(words, [message, message], "batch", dice.choice(BATCHES))):
            assert all(forms(each, mailer))
            assert all(len(row[1]) < 5_000 for row in each.facts)
            assert timedelta(0) == each.at.utcoffset()

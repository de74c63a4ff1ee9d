"""Test that a backtest gives the messages that the service would send, without sending any."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest

from monitor.config import (
    AppriseReceiver,
    Config,
    ConsoleReceiver,
    Digest,
    EmailReceiver,
    KafkaReceiver,
    Match,
    QuietHours,
    ReceiverConfig,
    Route,
    Secret,
    SlackBotReceiver,
    SlackWebhookReceiver,
    Threshold,
    WebhookReceiver,
)
from monitor.kafka import BrokerSettings
from monitor.notify.backtest import Backtest, BacktestOutcome, counts
from monitor.notify.receivers import build, takes_quiet_updates
from monitor.records import Event
from tests.monitor.notify.samples import BEIJING, NOW, event
from tests.receivers.webhook import SECRET

EMAIL = EmailReceiver(host="h", sender="a@example.org", to=("b@example.org",))


def rehearsed(config: Config, *revisions: tuple[float, Event]) -> list[BacktestOutcome]:
    rehearsal, found = Backtest(config), []
    for minutes, about in revisions:
        found += rehearsal.take(about, NOW + timedelta(minutes=minutes))
    return [*found, *rehearsal.advance(NOW + timedelta(days=2))]


def test_first_messages_updates_and_what_was_held_back():
    config = Config(
        receivers={"desk": ConsoleReceiver(), "mail": EMAIL},
        routes=(
            Route(name="pair", receivers=("desk",), match=Match(leaders=("xi-jinping",))),
            Route(name="sure", receivers=("mail",), threshold=Threshold(publishers=3)),
        ),
    )
    found = rehearsed(
        config,
        (0, event(1, publishers=2)),
        (5, event(2, publishers=2, place=BEIJING)),
        (6, event(3, publishers=4, place=BEIJING)),
        (60, event(4, publishers=4, place=BEIJING, status="retracted", last_seen=NOW + timedelta(hours=1))),
        (61, event(1, event_id="old", last_seen=NOW - timedelta(days=3))),
    )
    desk = [(o.tell, o.reason, o.route) for o in found if o.receiver == "desk"]
    assert desk == [
        ("first", "first", "pair"), ("loud", "place", "pair"), ("quiet", "coverage", "pair"),
        ("retract", "retracted", "pair"), (None, "too_old", "pair"),
    ]  # fmt: skip
    mail = [(o.tell, o.reason) for o in found if o.receiver == "mail"]
    assert mail == [
        (None, "publishers"), (None, "publishers"), ("first", "first"), ("retract", "retracted"), (None, "publishers"),
    ]  # fmt: skip
    assert sum(outcome.rings for outcome in found if outcome.receiver == "desk") == 3
    by_mail, at_the_desk = ([o for o in found if o.receiver == name] for name in ("mail", "desk"))
    assert counts(by_mail)["held_back"] == {"publishers": 1}, "the event that was told in the end was not held back"
    assert counts(at_the_desk)["held_back"] == {"too_old": 1}
    assert found[0].title == "Putin and Xi held a video call, Wed 4 Feb · 2 sources"
    assert [outcome.at for outcome in found] == sorted(outcome.at for outcome in found)


def test_digests_and_quiet_hours_are_one_message_at_their_time():
    config = Config(
        receivers={"daily": EMAIL, "night": EMAIL},
        routes=(
            Route(name="digest", receivers=("daily",), digest=Digest(at=("18:00",))),
            Route(name="quiet", receivers=("night",), quiet_hours=QuietHours(start="11:00", end="13:00")),
        ),
    )
    found = rehearsed(config, *((number, event(1, event_id=f"ev-{number}")) for number in range(3)))
    assert [(o.receiver, f"{o.at:%H:%M}", len(o.event_ids), o.tell) for o in found] == [
        ("night", "13:00", 3, "first"), ("daily", "18:00", 3, "first"),
    ]  # fmt: skip
    assert found[0].title.startswith("Held back during quiet hours")


def test_a_plan_that_is_retracted_before_the_digest_is_never_told():
    config = Config(
        receivers={"daily": EMAIL}, routes=(Route(name="d", receivers=("daily",), digest=Digest(at=("18:00",))),)
    )
    found = rehearsed(config, (0, event(1)), (1, event(2, status="retracted")))
    assert [(outcome.tell, outcome.reason) for outcome in found] == [(None, "background")]


@pytest.mark.parametrize(
    "config",
    [
        ConsoleReceiver(),
        WebhookReceiver(url=Secret("https://a.example/"), secrets=(Secret(SECRET),)),
        SlackBotReceiver(token=Secret("xoxb-1"), channel="C1"),
        SlackWebhookReceiver(url=Secret("https://a.example/")),
        EMAIL,
        AppriseReceiver(url=Secret("json://a.example/")),
        KafkaReceiver(topic="t"),
    ],
)
@pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # an import of apprise's
async def test_it_knows_which_receivers_take_quiet_updates(config):
    receiver = build(config, BrokerSettings(servers=("127.0.0.1:1",)))
    assert takes_quiet_updates(config) == receiver.traits.edits
    await receiver.close()
    assert isinstance(config, get_args(ReceiverConfig))

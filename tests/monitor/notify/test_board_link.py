"""Test that with `board.url` every alert links to its event's page, in every receiver's format."""

from __future__ import annotations

import json

import msgspec
import pytest

from monitor.notify.logbook import Delivery, Pending
from monitor.notify.messages.cloudevents import body
from monitor.notify.messages.compose import Message, compose
from monitor.notify.messages.plain import plain_text
from monitor.notify.messages.wording import wording
from monitor.notify.receivers.console import Console
from monitor.notify.receivers.mail import _html
from monitor.notify.receivers.slack.slack_blocks import alert
from tests.monitor.notify.samples import NOW, event, policy

PAGE = "https://board.example/events/ev%201"


def told(board: str) -> Message:
    pending = Pending(
        event=event(event_id="ev 1"), tell="first", reason="first", route="everything", since=NOW, due=NOW
    )
    return compose(wording(), policy(), Delivery(receiver="desk", event_id="ev 1"), pending, board=board)


FORMS = {
    "plain": plain_text,
    "console": lambda message: Console(colour=False).text(message),
    "mail": _html,
    "slack": lambda message: json.dumps(alert(message)),
    "webhook": lambda message: msgspec.json.encode(body(message)).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_an_alert_leads_to_the_page(form):
    assert PAGE in FORMS[form](told("https://board.example/"))
    assert "board.example" not in FORMS[form](told(""))

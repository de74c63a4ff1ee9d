"""Acknowledgement links: signed, expiring, and harmless to those who only look at them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor.config import Acknowledge, Secret
from monitor.notify.replies.ack import AckLinks, AckRefusedError, form, refusal, thanks
from tests.monitor.notify.samples import NOW

LINKS = AckLinks(Acknowledge(url="https://summitry.example.org/", secret=Secret("0123456789abcdef")))
OTHERS = AckLinks(Acknowledge(url="https://summitry.example.org/", secret=Secret("fedcba9876543210")))


def parts(link: str) -> tuple[str, str, str]:
    query = parse_qs(urlsplit(link).query)
    return query["event"][0], query["until"][0], query["sig"][0]


def test_a_link_is_good_until_it_expires():
    link = LINKS.link("ev 1/ü", NOW)
    assert link.startswith("https://summitry.example.org/ack?")
    event_id, until, signature = parts(link)
    ack = LINKS.acknowledged(event_id, until, signature, "  Ada\n Lovelace ", NOW)
    assert (ack.event_id, ack.by, ack.at) == ("ev 1/ü", "Ada Lovelace", NOW)
    LINKS.check(event_id, until, signature, NOW + timedelta(days=6, hours=23))
    with pytest.raises(AckRefusedError, match="expired"):
        LINKS.check(event_id, until, signature, NOW + timedelta(days=7, seconds=1))


@pytest.mark.parametrize(
    "change",
    [
        lambda e, u, s: ("another", u, s),
        lambda e, u, s: (e, str(int(u) + 1), s),
        lambda e, u, s: (e, u, s[:-1] + ("0" if s[-1] != "0" else "1")),
        lambda e, u, s: (e, u, ""),
        lambda e, u, s: (e, "", s),
        lambda e, u, s: (e, "٣", s),
        lambda e, u, s: (e, u, "ü"),
    ],
)
def test_a_link_that_was_changed_is_refused(change):
    with pytest.raises(AckRefusedError, match="not valid"):
        LINKS.check(*change(*parts(LINKS.link("ev-1", NOW))), NOW)


def test_a_link_of_somebody_else_is_refused():
    with pytest.raises(AckRefusedError):
        LINKS.check(*parts(OTHERS.link("ev-1", NOW)), NOW)


def test_no_name_is_somebody():
    assert LINKS.acknowledged(*parts(LINKS.link("ev-1", NOW)), "\x00", NOW).by == "somebody"


def test_pages_escape_what_they_are_given():
    evil = '"><script>x</script>'
    assert "<script>" not in form(evil, evil, evil)
    ack = LINKS.acknowledged(*parts(LINKS.link("ev-1", NOW)), "<b>", NOW)
    assert "<b>" not in thanks(ack)
    assert "not valid" in refusal(AckRefusedError("this link is not valid"))
    assert 'method="post"' in form("ev-1", "1", "s")

"""Test acknowledgement links: they are signed, they expire, and opening one changes nothing."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor.config import Acknowledge, Secret
from monitor.notify.messages.answer_pages import feedback_form, form, noted, refusal, thanks, trouble, words_for
from monitor.notify.messages.wording import languages, wording
from monitor.notify.replies.ack import AckLinks, AckRefusedError
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


SIGNED = {"event": "ev-1", "until": "1", "sig": "s"}


def test_pages_escape_what_they_are_given():
    evil = '"><script>x</script>'
    assert "<script>" not in form(wording(), dict.fromkeys(SIGNED, evil))
    assert "<script>" not in feedback_form(wording(), "wrong", dict.fromkeys(SIGNED, evil))
    ack = LINKS.acknowledged(*parts(LINKS.link("ev-1", NOW)), "<b>", NOW)
    assert "<b>" not in thanks(wording(), ack) + noted(wording(), ack.by)
    assert "not valid" in refusal(wording(), AckRefusedError("this link is not valid"))
    assert 'method="post"' in form(wording(), SIGNED)


def test_a_link_leads_to_a_page_in_the_reader_s_language():
    assert "lang=" not in LINKS.link("ev-1", NOW)
    query = parse_qs(urlsplit(LINKS.link("ev-1", NOW, "wrong", "ar")).query)
    words = words_for(query["lang"][0])
    page = feedback_form(words, "wrong", {name: values[0] for name, values in query.items()})
    assert '<html lang="ar" dir="rtl">' in page
    assert "هل هذا التنبيه خاطئ؟" in page
    assert 'name="lang" value="ar"' in page, "the page behind the form knows the language as well"
    assert words_for("xx").language == words_for("").language == "en"


@pytest.mark.parametrize("language", [one for one in languages() if one != "en"])
def test_no_page_is_in_english(language: str) -> None:
    words, english = wording(None, language), wording()
    assert words.pages.keys() == english.pages.keys()
    assert not set(words.pages.values()) & set(english.pages.values())
    assert words.pages["expired"] in trouble(words, "expired")


def test_a_link_that_was_good_once_is_told_so():
    with pytest.raises(AckRefusedError) as error:
        LINKS.check(*parts(LINKS.link("ev-1", NOW)), NOW + timedelta(days=8))
    assert "expired" in refusal(wording(), error.value)

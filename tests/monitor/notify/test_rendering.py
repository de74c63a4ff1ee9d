"""How alerts look, kept in golden files, and that hostile texts stay harmless and within each receiver's limits.

With UPDATE_GOLDEN=1 in the environment these tests write the golden files anew; look at the diff.
"""

from __future__ import annotations

import json
import os
import re
from datetime import date
from pathlib import Path

import msgspec
import pytest

from monitor.config import EmailReceiver
from monitor.errors import DataFileError
from monitor.notify.logbook import Delivery, Pending
from monitor.notify.messages.cloudevents import body
from monitor.notify.messages.compose import Message, clean, compose, headline, place_text, when_text
from monitor.notify.messages.plain import plain_text
from monitor.notify.messages.wording import wording
from monitor.notify.receivers import slack_blocks
from monitor.notify.receivers.console import Console
from monitor.notify.receivers.mail import Email
from monitor.records import EVENT_STATUSES, KINDS, MEDIA, Participant, Place, When
from tests.monitor.notify.samples import BEIJING, NOW, PUTIN, XI, event, message, policy, sources
from tests.receivers.slack import Posted, _problem

GOLDEN = Path(__file__).parent / "golden"

SCRIPTS = "Влади́мир 习近平 नरेन्द्र عبد الفتاح בנימין 岸田文雄 สมเด็จ ஜெய் ერთი Ελλάδα 🇺🇳 e\u0301"
ATTACKS = "<!channel> <!here|x> <@U012345> <https://evil.example|click> *b* _i_ ~s~ `c` & &amp; | > ]]> "
ATTACKS += "\x1b[31m\u202egnp\u202c\x00"
#: 60 sources, names of 200 characters in every script, every piece of markup that receivers know, addresses that lie
HOSTILE_SOURCES = tuple(
    msgspec.structs.replace(
        source,
        outlet=f"{ATTACKS} {SCRIPTS} {'О' * 200}",
        title=ATTACKS + "T" * 500,
        url=(
            "javascript:alert(1)",
            "https://ok.example/" + "p" * 900,
            "https://x.example/<!channel>",
            "https://[bad",
            "",
        )[n % 5],
    )
    for n, source in enumerate(sources(60))
)
CROWD = tuple(
    Participant(
        leader=f"leader-{n}", name=f"{ATTACKS}{SCRIPTS}{'N' * 200}", country="XX", office=f"{SCRIPTS} {ATTACKS}" * 5
    )
    for n in range(40)
)

CASES: dict[str, Message] = {
    "call": message(),
    "place": message("loud", event(1), changed=("place",), revision=2, place=BEIJING),
    "denied": message("retract", event(1), changed=("status",), revision=3, status="denied"),
    "visit": message(
        kind="visit",
        medium="in_person",
        status="planned",
        participants=(msgspec.structs.replace(PUTIN, role="visitor"), msgspec.structs.replace(XI, role="host")),
        place=BEIJING,
        when=When(start=date(2026, 5, 18), end=date(2026, 5, 20), granularity="range"),
        official=True,
        confirmed_by=("xi-jinping",),
        publishers=12,
    ),
    "hostile": message(
        participants=CROWD, sources=HOSTILE_SOURCES, publishers=60, reports=60, forum=ATTACKS * 9,
        brief=f"{ATTACKS} {SCRIPTS} " + " ".join(f"Word [{n}]" for n in range(1, 61)) + "B" * 6000,
        place=Place(name=ATTACKS + SCRIPTS * 5, country="XX"),
    ),
    "hostile-update": message(
        "loud", event(1, participants=CROWD[:2], place=Place(name=ATTACKS * 9)), changed=("participants", "place"),
        revision=2,
        participants=CROWD, sources=HOSTILE_SOURCES, publishers=60,
    ),
}  # fmt: skip

MAIL = Email(EmailReceiver(host="h", sender="alerts@example.org", to=("desk@example.org",)))


def rendered(case: Message) -> dict[str, str]:
    blocks = slack_blocks.update(case) if case.tell == "loud" else slack_blocks.alert(case)
    html = MAIL.mail(case, None).get_body(("html",))
    assert html is not None
    return {
        "slack.json": json.dumps(blocks, indent=1, ensure_ascii=False) + "\n",
        "console.txt": Console(colour=False).text(case) + "\n",
        "plain.txt": plain_text(case) + "\n",
        "mail.html": html.get_content(),
    }


@pytest.mark.parametrize("name", CASES)
def test_alerts_look_as_their_golden_files(name):
    for suffix, text in rendered(CASES[name]).items():
        file = GOLDEN / f"{name}.{suffix}"
        if os.environ.get("UPDATE_GOLDEN"):
            file.write_text(text, "utf-8")
        assert text == file.read_text("utf-8"), f"{file.name} differs; see the top of this file"


@pytest.mark.parametrize("name", CASES)
def test_slack_takes_them_and_they_ping_nobody(name):
    case = CASES[name]
    for blocks in (slack_blocks.alert(case), slack_blocks.update(case)):
        text = slack_blocks.fallback(case)
        assert _problem({"text": text, "blocks": blocks}) is None
        assert slack_blocks.size(blocks) <= slack_blocks.MAX_TOTAL
        assert not Posted("1", "C", text, blocks, None).pings()


def test_no_markup_of_slack_comes_from_outside():
    texts = json.dumps(slack_blocks.alert(CASES["hostile"])[1:], ensure_ascii=False)
    links = re.findall(r"<([^>|]*)[|>]", texts)
    assert links, "the good addresses are linked"
    assert all(link.startswith("https://ok.example/") for link in links)


@pytest.mark.parametrize("suffix", ["console.txt", "plain.txt", "mail.html"])
def test_no_control_or_direction_character_comes_through(suffix):
    text = rendered(CASES["hostile"])[suffix]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text.replace("\r\n", "\n"))
    assert "javascript:" not in text


def test_html_has_no_tag_from_outside():
    html = rendered(CASES["hostile"])["mail.html"]
    tags = set(re.findall(r"<(/?[a-zA-Z!][a-zA-Z0-9]*)", html))
    known = {"!doctype", "html", "body", "h2", "table", "tr", "td", "p", "ol", "li", "a", "br"}
    assert tags <= known | {f"/{tag}" for tag in known}


def test_machines_get_the_whole_event():
    sent = msgspec.json.decode(msgspec.json.encode(body(CASES["hostile"])))
    assert len(sent["data"]["event"]["sources"]) == 60


def test_a_quiet_mail_thread_keeps_lines_short_enough_for_smtp():
    assert (
        max(len(line) for line in MAIL.mail(CASES["hostile"], None).as_bytes().splitlines()) <= 998
    )  # RFC 5322, 2.1.1


@pytest.mark.parametrize("status", EVENT_STATUSES)
def test_every_kind_medium_and_status_has_a_headline(status):
    for kind in KINDS:
        for medium in MEDIA:
            text = headline(wording(), event(kind=kind, medium=medium, status=status))
            assert text.startswith("Vladimir Putin and Xi Jinping")
            assert "$" not in text


def test_headlines_as_people_would_write_them():
    def line(**changes):
        return headline(wording(), event(**changes))

    def guest(status):
        roles = (msgspec.structs.replace(PUTIN, role="visitor"), msgspec.structs.replace(XI, role="host"))
        return line(kind="visit", medium="in_person", status=status, participants=roles)

    assert line(kind="talks", medium="phone", status="planned") == "Vladimir Putin and Xi Jinping plan phone talks"
    assert line(status="postponed") == "Vladimir Putin and Xi Jinping: video call postponed"
    assert guest("planned") == "Vladimir Putin to visit Xi Jinping"
    assert guest("held") == "Vladimir Putin visited Xi Jinping"
    assert guest("cancelled") == "Visit of Vladimir Putin to Xi Jinping cancelled"
    many = tuple(Participant(leader=f"l{n}", name=f"Leader {n}") for n in range(20))
    assert line(kind="summit", medium="in_person", participants=many) == (
        "Leader 0, Leader 1, Leader 2, Leader 3 and 16 others held a summit"
    )


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (None, ""),
        (When(start=date(2026, 2, 4), end=date(2026, 2, 4)), "4 February 2026"),
        (When(start=date(2026, 2, 4), end=date(2026, 2, 6), granularity="range"), "4–6 February 2026"),
        (When(start=date(2026, 2, 27), end=date(2026, 3, 1), granularity="range"), "27 February – 1 March 2026"),
        (
            When(start=date(2025, 12, 31), end=date(2026, 1, 1), granularity="range"),
            "31 December 2025 – 1 January 2026",
        ),
        (When(start=date(2026, 2, 2), end=date(2026, 2, 8), granularity="week"), "week of 2 February 2026"),
        (When(start=date(2026, 2, 1), end=date(2026, 2, 28), granularity="month"), "February 2026"),
        (When(start=date(2026, 4, 1), end=date(2026, 6, 30), granularity="quarter"), "quarter 2 of 2026"),
        (When(start=date(2026, 1, 1), end=date(2026, 12, 31), granularity="year"), "2026"),
    ],
)
def test_dates_as_people_write_them(when, text):
    assert when_text(when) == text


def test_places():
    assert place_text(BEIJING) == "Beijing, China"
    assert place_text(Place(name="", country="CN")) == "China"
    assert place_text(None) == ""


def test_links_are_those_cited_then_official_ones_then_one_for_each_report():
    shown = tuple(
        msgspec.structs.replace(source, report=min(source.n, 3), official=source.n == 30) for source in sources(40)
    )
    case = message(sources=shown, brief="Both sides say so [20][35].", publishers=40)
    assert [link.n for link in case.links] == [1, 2, 3, 4, 5, 20, 30, 35]
    assert case.more_links == 32


def test_cleaning_cuts_at_the_limit_with_an_ellipsis():
    assert clean("a  b\r\n\tc\u202e", 10) == "a b c"
    assert clean("x" * 20, 10) == "x" * 9 + "…"


def test_own_words_replace_the_bundled_ones_key_by_key(tmp_path):
    (tmp_path / "wording.yaml").write_text('headline: {held: "$who: $what (held)"}\nnone: "unknown"\n')
    words = wording(tmp_path)
    assert headline(words, event()) == "Vladimir Putin and Xi Jinping: a video call (held)"
    assert headline(words, event(status="planned")) == "Vladimir Putin and Xi Jinping plan a video call"
    assert words.none == "unknown"


def test_own_rows_and_an_own_layout_of_plain_texts(tmp_path):
    (tmp_path / "wording.yaml").write_text("facts: [status, who]\n")
    (tmp_path / "plain.txt").write_text("** $title **\n$facts\n$changed\n\n\n$why\n")
    words = wording(tmp_path)
    told = Delivery(receiver="desk", event_id="ev-1", route="all")
    waiting = Pending(event=event(), tell="first", reason="first", route="all", since=NOW, due=NOW)
    text = plain_text(compose(words, policy(), told, waiting))
    assert text.startswith("** Vladimir Putin and Xi Jinping held a video call **\nStatus: Held\nWho: Vladimir Putin")
    assert "\n\n\n" not in text
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "plain.txt").write_text("$headline")
    with pytest.raises(DataFileError, match="nothing fills \\$headline"):
        wording(tmp_path / "bad")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("facts: [whom]\n", "Invalid enum value 'whom'"),
        ("headlines: {}\n", "unknown field `headlines`"),
        ("none: 5\n", "Expected `str`, got `int`"),
        ('headline: {held: "$whom spoke"}\n', "nothing fills $whom"),
        ('headline: {held: "costs 5$ or so"}\n', "names nothing"),
        ("- a\n", "not a mapping"),
        ("a: [\n", "not valid YAML"),
    ],
)
def test_own_words_with_a_mistake_are_refused(tmp_path, text, said):
    (tmp_path / "wording.yaml").write_text(text)
    with pytest.raises(DataFileError) as caught:
        wording(tmp_path)
    assert said in str(caught.value)

"""Test how alerts look (golden files), and that hostile texts are escaped and cut to each receiver's limits.

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
from monitor.notify.harmless import clean
from monitor.notify.logbook import Delivery, Pending
from monitor.notify.messages.cloudevents import body
from monitor.notify.messages.compose import Message, compose
from monitor.notify.messages.plain import plain_text
from monitor.notify.messages.values import line, place, when
from monitor.notify.messages.wording import wording
from monitor.notify.receivers.console import Console
from monitor.notify.receivers.mail import Email
from monitor.notify.receivers.slack import slack_blocks
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
def test_every_kind_medium_and_status_has_a_line(status):
    for kind in KINDS:
        for medium in MEDIA:
            text = line(wording(), event(kind=kind, medium=medium, status=status))
            assert "Putin" in text
            assert "Xi" in text
            assert not set("${}") & set(text)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (None, ""),
        (When(start=date(2026, 2, 4), end=date(2026, 2, 4)), "Wed 4 Feb 2026"),
        (When(start=date(2026, 2, 4), end=date(2026, 2, 6), granularity="range"), "Wed 4 Feb 2026 to Fri 6 Feb 2026"),
        (When(start=date(2026, 2, 2), end=date(2026, 2, 8), granularity="week"), "week of Mon 2 Feb 2026"),
        (When(start=date(2026, 2, 1), end=date(2026, 2, 28), granularity="month"), "in February 2026"),
        (When(start=date(2026, 4, 1), end=date(2026, 6, 30), granularity="quarter"), "in the second quarter of 2026"),
        (When(start=date(2026, 1, 1), end=date(2026, 12, 31), granularity="year"), "in 2026"),
    ],
)
def test_dates_as_people_write_them(moment, text):
    assert when(wording(), moment) == text


def test_places():
    assert place(wording(), BEIJING) == "Beijing, China"
    assert place(wording(), Place(name="", country="CN")) == "China"
    assert place(wording(), None) == ""


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
    (tmp_path / "wording.yaml").write_text('label: {who: "People"}\nofficial: "an office says so"\n')
    words = wording(tmp_path)
    told = Delivery(receiver="desk", event_id="ev-1", route="all")
    waiting = Pending(event=event(official=True), tell="first", reason="first", route="all", since=NOW, due=NOW)
    text = plain_text(compose(words, policy(), told, waiting))
    assert "\nPeople: Vladimir Putin" in text
    assert "\nWhen: Wed 4 Feb 2026" in text
    assert "an office says so" in text


def test_own_rows_and_an_own_layout_of_plain_texts(tmp_path):
    (tmp_path / "wording.yaml").write_text("facts: [status, who]\n")
    (tmp_path / "plain.txt").write_text("** $title **\n$facts\n$changed\n\n\n$why\n")
    words = wording(tmp_path)
    told = Delivery(receiver="desk", event_id="ev-1", route="all")
    waiting = Pending(event=event(), tell="first", reason="first", route="all", since=NOW, due=NOW)
    text = plain_text(compose(words, policy(), told, waiting))
    assert text.startswith(
        "** Putin and Xi held a video call, Wed 4 Feb · 2 sources **\nStatus: Held\nWho: Vladimir Putin"
    )
    assert "\n\n\n" not in text
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "plain.txt").write_text("$headline")
    with pytest.raises(DataFileError, match="unknown placeholder \\$headline"):
        wording(tmp_path / "bad")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("facts: [whom]\n", "Invalid enum value 'whom'"),
        ("headlines: {}\n", "unknown field `headlines`"),
        ("official: 5\n", "Expected `str`, got `int`"),
        ('status: {held: "$whom spoke"}\n', "unknown placeholder $whom"),
        ('status: {held: "costs 5$ or so"}\n', "without a name"),
        ("- a\n", "not a mapping"),
        ("a: [\n", "not valid YAML"),
    ],
)
def test_own_words_with_a_mistake_are_refused(tmp_path, text, said):
    (tmp_path / "wording.yaml").write_text(text)
    with pytest.raises(DataFileError) as caught:
        wording(tmp_path)
    assert said in str(caught.value)

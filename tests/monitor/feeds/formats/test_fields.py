"""Test dates, addresses and markup in cases that the behaviour table does not have."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import resources
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.feeds.formats.fields.article_urls import absolute, canonical, link_key
from monitor.feeds.formats.fields.dates import read_date
from monitor.feeds.formats.fields.html_text import cap, clean_text, fold, plain, safe_html, text_of
from monitor.feeds.formats.fields.zone_names import known_zone


@pytest.mark.parametrize(
    ("raw", "flag"),
    [("", "missing"), ("   ", "missing"), ("yesterday", "unreadable"), ("31 Feb 2026", "unreadable"),
     ("2026-13-01", "unreadable"), ("25:61", "unreadable"), ("Mon, 1 Jan 0001 00:00:00 GMT", "ancient"),
     ("0000-00-00 00:00:00", "unreadable"), ("2026-03-02", "no_zone"), ("2 Mar 2026 10:00 XYZ", "no_zone"),
     ("2 Mar 2026 10:00 +0100", ""), ("9" * 500, "unreadable")],
)  # fmt: skip
def test_what_is_doubtful_about_a_date_is_told(raw: str, flag: str) -> None:
    assert read_date(raw).flag == flag


@pytest.mark.parametrize(
    ("raw", "hints", "utc"),
    [
        ("mar. 3 févr. 2026 10:00 CET", {"language": "fr"}, "2026-02-03T09:00"),
        ("03/02/2026 10:00", {}, "2026-02-03T10:00"),
        ("03/02/2026 10:00", {"country": "US"}, "2026-03-02T10:00"),
        ("Mon, 2 Mar 2026 10:00 CST", {"country": "CN"}, "2026-03-02T02:00"),
        ("Mon, 2 Mar 2026 10:00 CST", {}, "2026-03-02T16:00"),
        ("2 Lis 2025 10:00 GMT", {"language": "pl"}, "2025-11-02T10:00"),
        ("2 lis 2025 10:00 GMT", {"language": "hr"}, "2025-10-02T10:00"),
        ("Mon, 2 Mar 2026 24:00:00 GMT", {}, "2026-03-03T00:00"),
        ("Sat, Dec 16 2023 02:02:33 PM GMT", {}, "2023-12-16T14:02"),
        ("Mon, 2 Mar 2026 12:05 AM GMT", {}, "2026-03-02T00:05"),
        ("1772438400000", {}, "2026-03-02T08:00"),
        ("٢ مارس ٢٠٢٦ ٠٨:٠٠", {"language": "ar"}, "2026-03-02T08:00"),
        ("20260302T080000Z", {}, "2026-03-02T08:00"),
        ("2026-061", {}, "2026-03-02T00:00"),
        ("2026. 3. 2. 08:00", {"zone": "+09:00"}, "2026-03-01T23:00"),
        ("2026-07-02 12:00", {"zone": "Europe/Berlin"}, "2026-07-02T10:00"),
    ],
)
def test_dates_are_read_with_what_is_known_of_the_feed(raw: str, hints: dict[str, str], utc: str) -> None:
    value = read_date(raw, **hints).value
    assert value is not None
    assert value.replace(second=0) == datetime.fromisoformat(f"{utc}+00:00")


def test_every_zone_of_the_data_file_is_understood() -> None:
    folder = resources.files("monitor.feeds.formats.fields").joinpath("data")
    zones = yaml.safe_load(folder.joinpath("zones.yaml").read_text(encoding="utf-8"))
    for name in (*zones["utc"], *zones["fixed"], *zones["regional"], *zones["phrases"]):
        assert read_date(f"Mon, 2 Mar 2026 10:00:00 {name.upper()}").flag == "", name
    for summer, region in zones["summer"].items():
        there = read_date("2 Jul 2026 10:00", zone=region).value
        assert read_date(f"2 Jul 2026 10:00 XST-1{summer}") == (there, "")
    for region in (*zones["regional"].values(), *zones["phrases"].values()):
        ZoneInfo(region)


@pytest.mark.parametrize(
    ("zone", "known"), [("Asia/Tokyo", True), ("+05:30", True), ("UTC", True), ("Mars/Base", False)]
)
def test_zones_are_checked_by_name(zone: str, known: bool) -> None:
    assert known_zone(zone) is known


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text("0123456789 :.,/-+TZapmGM年月日Mar", max_size=40))
def test_reading_a_date_never_fails_and_never_gives_a_naive_one(raw: str) -> None:
    value, flag = read_date(raw, language="en", zone="Asia/Tokyo")
    assert (value is None) == (flag in {"missing", "unreadable", "ancient"})
    assert value is None or value.tzinfo is UTC


@settings(max_examples=200, deadline=None)
@given(st.integers(631238400, 3124137600).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)))
def test_well_formed_dates_come_back(moment: datetime) -> None:
    for form in (moment.isoformat(), f"{moment:%a, %d %b %Y %H:%M:%S +0000}", f"{moment:%d %B %Y %H:%M:%S} GMT"):
        assert read_date(form) == (moment, "")


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("HTTPS://Example.ORG:443/A/../b?x=1#part", "https://example.org/b?x=1"),
        ("http://user:pw@example.org/", "http://example.org/"),
        ("https://example.org/#!/page", "https://example.org/#!/page"),
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("https://example.org?b=2&utm_source=x&a=1", "https://example.org/?b=2&a=1"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//example.org/x", ""),
        ("http://[::1", ""),
        ("https://example.org/" + "x" * 9000, ""),
    ],
)
def test_addresses_get_one_form(url: str, clean: str) -> None:
    assert canonical(url) == clean


def test_the_same_page_has_one_key() -> None:
    same = ["https://www.example.org/a/", "http://example.org/a", "https://amp.example.org/a", "https://example.org/a/amp",
            "https://example.org/a?outputType=amp", "https://www.example.org/a?utm_medium=x"]  # fmt: skip
    assert {link_key(url) for url in same} == {"//example.org/a"}
    assert link_key("https://example.org/b") != link_key("https://example.org/a")


def test_references_are_resolved_as_browsers_do() -> None:
    assert absolute("https://example.org/a/b", "../c?d=é") == "https://example.org/c?d=%C3%A9"
    assert absolute("https://example.org/", " //other.example/x\n") == "https://other.example/x"
    assert absolute("no base", "https://example.org/x") == "https://example.org/x"
    assert absolute("https://example.org/", "mailto:a@example.org") == ""


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40))
def test_canonical_is_stable_and_never_fails(base: str, reference: str) -> None:
    for url in (reference, f"https://{reference}", f"https://example.org/{reference}", absolute(base, reference)):
        once = canonical(url)
        assert canonical(once) == once
        assert not once or once.startswith(("http://", "https://"))
        link_key(url)


def test_html_keeps_its_blocks_apart_as_text() -> None:
    markup = (
        "<h2>A</h2><p>B<br>C &amp; D</p><table><tr><td>1</td><td>2</td></tr></table><p>  E\n  F</p><script>x</script>"
    )
    assert text_of(safe_html(markup, "")) == "A\nB\nC & D\n1 2\nE F"


def test_words_without_markup_keep_their_paragraphs() -> None:
    assert text_of(safe_html("One line\nwrapped.\n\nAnother &amp; last.", "")) == "One line wrapped.\nAnother & last."


def test_titles_are_plain_and_unescaped_at_most_twice() -> None:
    assert plain("AT&amp;amp;T and <i>friends</i>") == "AT&T and friends"
    assert plain("a &amp;amp;amp; b") == "a &amp; b"
    assert plain("3 < 4 > 2") == "3 < 4 > 2"
    assert plain("<b>Bold</b><br/>words") == "Bold words"


def test_dangerous_characters_go_and_joiners_stay() -> None:
    assert clean_text("a\u202eb\u2066c\x1b[31md\x00\ud800e\ufeff") == "abc[31mde"
    assert clean_text("می\u200cخواهم") == "می\u200cخواهم"


def test_cutting_keeps_characters_whole() -> None:
    assert cap("ééé", 5) == "éé"
    assert cap("one two three", 9) == "one two"


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("<>&;\"'/= abpscriptonx#1\u202e\ud800\n"), max_size=60) | st.text(max_size=60))
def test_no_text_holds_markup_that_runs_or_characters_that_break(markup: str) -> None:
    safe = safe_html(markup, "https://example.org/")
    assert safe_html(safe, "https://example.org/") == safe
    assert "<script" not in safe.lower()
    for text in (safe, text_of(safe), plain(markup), fold(markup)):
        text.encode()
        assert "\u202e" not in text

"""Test that each fast path gives the same result as the general code: dates, texts, addresses, HTTP heads."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

import ada_url
import nh3
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.feeds.formats.fields import article_urls, date_words, dates, entry_language, html_text

pytestmark = pytest.mark.slow

prose = st.text(st.characters() | st.sampled_from(" \t\n\r\x0b\x85\u00a0\u2028\u200b\u3000\ufeff<>&;"), max_size=60)


def test_no_unwanted_character_is_printable() -> None:
    assert not [c for c in map(chr, range(0x110000)) if html_text._UNWANTED.match(c) and c.isprintable()]
    assert not any(c.isprintable() for c in "\r\n\x85\t")
    assert [c for c in map(chr, range(0x110000)) if c.isspace() and c.isprintable()] == [" "]


@given(prose)
def test_folding_is_what_two_expressions_did(text: str) -> None:
    spaces, breaks = re.compile(r"[^\S\n]+"), re.compile(r"\s*\n\s*")
    assert html_text.fold(text) == breaks.sub("\n", spaces.sub(" ", html_text.clean_text(text))).strip()


@given(prose)
def test_texts_without_control_characters_are_clean_as_they_are(text: str) -> None:
    even = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    assert html_text.clean_text(text) == html_text._UNWANTED.sub("", even)
    assert html_text.line(text) == " ".join(html_text.clean_text(text).split())
    if words := html_text.words(text):
        assert words == html_text.text_of(html_text.safe_html(text, "")) == html_text.fold(text)


@given(prose)
def test_words_without_markup_are_what_nh3_makes_of_them(text: str) -> None:
    clean = html_text.clean_text(text)
    assert html_text.safe_html(text, "") == html_text.clean_text(nh3.clean(clean, tags=set(html_text.TAGS))).strip()


@given(prose, st.integers(0, 130))
def test_what_is_short_enough_is_not_cut(text: str, limit: int) -> None:
    data = text.encode("utf-8", "ignore")
    assert (
        html_text.cap(text, limit) == text if len(data) <= limit else len(html_text.cap(text, limit).encode()) <= limit
    )


day_names = st.sampled_from(["Mon, ", "mon, ", "Lun, ", "", "Mar, ", "Monday, "])
english = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
month_names = st.sampled_from([*english, "mai", "maj", "mar", "Mär", "ene", "avr", "Foo", "tam", "hel"])
zones = st.sampled_from(
    ["GMT", "UTC", "Z", "+0000", "+0530", "-0800", "+1500", "-0060", "EST", "+05:30", "-14:00", "+1400"]
)
number = st.integers(0, 61).map(lambda n: f"{n:02}")


@settings(max_examples=600)
@given(
    st.tuples(day_names, st.integers(0, 40), month_names, st.integers(0, 2100)),
    st.tuples(number, number, number),
    zones,
    st.sampled_from(["en", "fr", "fi", "tr", "cs", "id", "xx", ""]),
)
@example(("Mon, ", 2, "Mar", 2026), ("08", "15", "00"), "GMT", "fr")
def test_usual_dates_are_read_as_by_the_long_way(
    date: tuple[str, int, str, int], clock: tuple[str, str, str], zone: str, language: str
) -> None:
    day, of_month, month, year = date
    raw = f"{day}{of_month} {month} {year:04} {':'.join(clock)} {zone}"
    short = dates.read_date(raw, language=language)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dates, "_USUAL", re.compile(r"(?!)"))
        assert dates.read_date(raw, language=language) == short


@settings(max_examples=600)
@given(
    st.tuples(st.integers(0, 2100), st.integers(0, 13), st.integers(0, 32)),
    st.tuples(number, number, number),
    st.sampled_from(["", ".5", ".123456789", "."]),
    st.sampled_from(["Z", "+00:00", "-00:00", "+05:30", "-14:59", "+15:00", "+01:60", "", "+0100"]),
    st.sampled_from(["", "+03:00"]),
)
@example((1, 1, 1), ("00", "00", "00"), "", "+14:00", "")
@example((2026, 3, 2), ("24", "00", "00"), "", "Z", "")
def test_usual_iso_dates_are_read_as_by_the_long_way(
    date: tuple[int, int, int], clock: tuple[str, str, str], fraction: str, offset: str, zone: str
) -> None:
    raw = f"{date[0]:04}-{date[1]:02}-{date[2]:02}T{':'.join(clock)}{fraction}{offset}"
    short = dates.read_date(raw, zone=zone)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dates, "_USUAL_ISO", re.compile(r"(?!)"))
        assert dates.read_date(raw, zone=zone) == short


def test_usual_dates_are_read_as_by_the_long_way_in_every_language() -> None:
    for language, months in date_words.names().months.items():
        for names in months:
            for name in names:
                if len(name) != 3 or not unicodedata.normalize("NFKC", name).casefold().isascii():
                    continue
                raw = f"Mon, 02 {name} 2026 08:15:00 +0100"
                short = dates.read_date(raw, language=language)
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(dates, "_USUAL", re.compile(r"(?!)"))
                    assert dates.read_date(raw, language=language) == short, (language, name)


@given(st.text(st.characters() | st.sampled_from("aZ1 .-_é漢\n\u024f\u0250²٣"), max_size=40))
def test_letters_are_counted_as_one_by_one(text: str) -> None:
    letters = [char for char in text if re.match(r"[^\W\d_]", char)]
    assert entry_language._letters(text) == (len(letters), sum(char < "\u0250" for char in letters))


@given(st.text(st.sampled_from("ab./?#&=!;:@%é[] "), max_size=25))
@example("a.example/?a#b?c#d")
@example("u:p@a.example:81")
def test_normalised_addresses_are_split_as_by_the_library(rest: str) -> None:
    if url := article_urls.absolute("", f"https://h{rest}"):
        assert article_urls._split(url) == tuple(urlsplit(url))


@settings(max_examples=500)
@given(
    st.sampled_from(["http://", "https://"]),
    st.text(st.sampled_from("abx019.-n"), max_size=12),
    st.text(st.sampled_from("aZ09/._~=:@!$&()*+,;-?"), max_size=14),
)
@example("https://", "xn--nxasmq6b.example", "/")
@example("https://", "1.2.3", "/")
@example("https://", "a.0x7f", "/")
@example("https://", "a.example", "/a/./b/../c")
def test_addresses_that_are_normal_as_they_stand_are(scheme: str, host: str, rest: str) -> None:
    url = f"{scheme}{host}{rest}"
    if article_urls._NORMAL.fullmatch(url):
        assert ada_url.normalize_url(url) == url
        assert ada_url.join_url("http://b.example/x/y?z", url) == url


@pytest.mark.parametrize("rest", ["a.example/", "www.news-desk.co.uk/2026/03/talks_open.html?at_medium=RSS&a=1"])
def test_usual_addresses_are_normal(rest: str) -> None:
    assert article_urls._NORMAL.fullmatch(f"https://{rest}")


@pytest.mark.parametrize(
    "rest",
    [
        "a.example",
        "A.example/",
        "a.example:443/",
        "a.example/%7e",
        "1.2.3/",
        "xn--a.example/",
        "a.example/./b",
        "u@a.ee/",
    ],
)
def test_other_addresses_are_left_to_ada(rest: str) -> None:
    assert not article_urls._NORMAL.fullmatch(f"https://{rest}")


@given(st.text(st.sampled_from("ab:/?#\t\n\r\x00\x0b \u00a0\u200b\ufeff."), max_size=25))
def test_what_stands_around_an_address_is_cut_as_before(rest: str) -> None:
    long_way = "".join(c for c in rest if c not in "\t\n\r").strip("\x00\x0b\x0c \u00a0\u200b\ufeff")
    assert article_urls.absolute("https://b.example/x/", rest) == article_urls.absolute(
        "https://b.example/x/", long_way
    )

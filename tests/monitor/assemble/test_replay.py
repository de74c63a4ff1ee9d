"""Test archives through detection and assembly: article lines, the event clock, and the commands."""

from __future__ import annotations

import gzip
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
import zstandard
from click.testing import CliRunner

from agents.cli.news.events import unmerged
from agents.cli.news.replay import replay as replay_command
from agents.cli.options import parse_moment
from monitor.articles import Lines, read_article
from monitor.assemble import Assembly
from monitor.assemble.replay import LEAP_WITNESSES, EventClock, final_events, replay, same_event
from monitor.assemble.stored import pack, unpack
from monitor.detect import Detector
from monitor.errors import DecodeError, NewerSchemaError, SummitryError
from monitor.records import Article, encode
from tests.monitor.assemble.samples import assemble, at, day, mention

pytestmark = pytest.mark.slow

LINES = [
    {"id": "1", "title": "Putin and Xi hold video call", "published": "2026-02-04T09:00:00Z", "url": None},
    {"id": "2", "title": "Putin, Xi discuss trade in video call", "published": "2026-02-04", "outlet": "Sample"},
    {"id": "3", "title": "Putin to visit China in May, Kremlin says", "published": "2026-02-05T09:00:00+03:00"},
    {"id": "4", "title": "Rain expected in the north", "published": "2026-02-05T10:00:00Z"},
]


@pytest.fixture(scope="module")
def detect():
    return Detector().detect


def jsonl(*lines) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_an_article_line_may_have_nulls_and_a_date_alone():
    assert read_article(jsonl(LINES[0])).url == ""
    assert read_article(jsonl(LINES[1])).published == datetime(2026, 2, 4, 12, tzinfo=UTC)
    assert read_article(jsonl(LINES[2])).published == datetime(2026, 2, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"{", "truncated"),
        (b"[1]", "Expected `object`"),
        (b'{"title": "no id"}', "`id`"),
        (b'{"id": "1"}', "`title`"),
        (b'{"id": 1, "title": "t"}', "`$.id`"),
        (b'{"id": "", "title": "t"}', "`id` is empty"),
        (b'{"id": "1", "title": "t", "published": "2026-02-31"}', "is no date"),
        (b'{"id": "1", "title": "t", "published": "yesterday"}', "`$.published`"),
        (b"\xff\xfe", "not a valid Article"),
    ],
)
def test_a_line_that_is_no_article_says_why(line, problem):
    with pytest.raises(DecodeError, match=problem.replace("$", r"\$").replace("[", r"\[")):
        read_article(line)


def test_a_newer_article_is_refused():
    with pytest.raises(NewerSchemaError):
        read_article(b'{"id": "1", "title": "t", "schema": 99}')


@pytest.mark.parametrize("squeeze", [bytes, gzip.compress, zstandard.compress], ids=["plain", "gzip", "zstandard"])
def test_files_are_read_by_what_they_are(tmp_path, squeeze):
    file = tmp_path / "archive"
    file.write_bytes(squeeze(jsonl(*LINES) + b"\n"))
    lines = Lines((str(file),))
    assert [number for _, number, _ in lines] == [1, 2, 3, 4]
    assert lines.bytes_read == lines.bytes_total == file.stat().st_size


def test_a_broken_archive_is_one_clear_error(tmp_path):
    file = tmp_path / "archive.gz"
    file.write_bytes(gzip.compress(jsonl(*LINES))[:-9])
    with pytest.raises(SummitryError, match=r"archive\.gz: can't be read"):
        list(Lines((str(file),)))
    with pytest.raises(SummitryError, match="can't be read"):
        Lines((str(tmp_path / "none"),))


def test_standard_input_is_the_default():
    assert [line for _, _, line in Lines((), io.BytesIO(b"a\n\nb\n"))] == [b"a\n", b"b\n"]


def test_the_clock_never_goes_back_and_one_article_can_not_carry_it_away():
    clock = EventClock()
    assert clock.observe(Article(id="0", title="t")) is None
    assert clock.observe(Article(id="1", title="t", published=at())) == at()
    assert clock.observe(Article(id="2", title="t", published=at(-3))) == at()
    assert clock.observe(Article(id="3", title="t", published=at(900))) == at()
    assert clock.observe(Article(id="4", title="t", published=at(1))) == at(1)
    assert clock.observe(Article(id="5", title="t", published=at(900), seen=at(2))) == at(2)


def test_the_clock_follows_a_gap_in_the_archive():
    clock = EventClock()
    clock.observe(Article(id="1", title="t", published=at()))
    times = [clock.observe(Article(id=str(n), title="t", published=at(30 + n))) for n in range(LEAP_WITNESSES)]
    assert times[-2:] == [at(), at(30)]


def test_replay_is_what_detection_and_assembly_give_one_after_the_other(detect):
    articles = [read_article(jsonl(line)) for line in LINES]
    assembly = Assembly()
    expected = []
    for article in articles:
        assert article.published is not None
        expected += assembly.advance(article.published).events
        for found in detect(article):
            expected += assembly.apply(found).events
    assert list(replay(articles, detect)) == expected


def test_a_closed_event_is_told_when_it_closes():
    def spoken(article):
        return [mention(article=article.id, published=article.published)] if article.id == "1" else []

    articles = [Article(id=str(n), title="t", published=at(n)) for n in range(1, 80)]
    (event,) = final_events(replay(articles, spoken))
    assert event.closed


def test_an_article_without_a_time_is_of_the_time_at_which_it_is_read(detect):
    lines = [LINES[0], {"id": "5", "title": "Putin, Xi discuss energy in video call"}]
    (event,) = final_events(replay([read_article(jsonl(line)) for line in lines], detect))
    assert event.last_seen == datetime(2026, 2, 4, 9, tzinfo=UTC)
    (event,) = final_events(replay([read_article(jsonl(lines[1]))], detect))
    assert event.first_seen is None


def test_two_headlines_of_one_call_are_one_event(detect):
    def article(title):
        return Article(id=title, title=title, published=at(), language="en")

    call = article("Putin and Xi hold video call")
    assert same_event(call, article("Putin, Xi speak by video link"), detect)
    assert not same_event(call, article("Putin and Modi hold video call"), detect)
    assert not same_event(call, article("Rain expected in the north"), detect)


def test_the_command_prints_final_events_and_reports_bad_lines(tmp_path):
    file = tmp_path / "day.jsonl"
    file.write_bytes(jsonl(*LINES[:2]) + b"{broken\n" + jsonl(*LINES[2:]))
    result = CliRunner().invoke(replay_command, [str(file)])
    assert result.exit_code == 1
    assert "line 3: not a valid Article" in result.stderr
    assert "1 of 5 lines" in result.stderr
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert {s["article_id"] for e in events for s in e["sources"] if e["kind"] == "call"} == {"1", "2"}


def test_several_files_are_one_archive_in_order(tmp_path):
    """One outlet a file, a year each: without merging, the second file would come after everything was closed."""
    for name, lines in (("a", (LINES[0], {"id": "9", "title": "Rain", "published": "2026-12-01"})), ("b", LINES[1:2])):
        (tmp_path / name).write_bytes(jsonl(*lines))
    result = CliRunner().invoke(replay_command, [str(tmp_path / "a"), str(tmp_path / "b")])
    assert result.exit_code == 0
    (event,) = (json.loads(line) for line in result.stdout.splitlines())
    assert {s["article_id"] for s in event["sources"]} == {"1", "2"}


def test_the_command_prints_each_revision_from_standard_input():
    result = CliRunner().invoke(replay_command, ["--revisions"], input=jsonl(*LINES))
    assert result.exit_code == 0
    revisions = [json.loads(line) for line in result.stdout.splitlines()]
    assert [r["revision"] for r in revisions if r["kind"] == "call"] == [1, 2]


def test_since_is_a_time_or_an_age():
    now = at()
    assert parse_moment("12h", now) == now - timedelta(hours=12)
    assert parse_moment("2026-02-04", now) == datetime(2026, 2, 4, tzinfo=UTC)
    assert parse_moment("2026-02-04T08:00:00+03:00", now) == datetime(2026, 2, 4, 5, tzinfo=UTC)
    with pytest.raises(Exception, match="is not a time"):
        parse_moment("last week", now)


def test_what_the_events_command_shows_leaves_out_merged_events_and_damaged_records():
    (event,) = assemble(mention(when=day("2026-02-04")))
    (other,) = assemble(mention("putin modi", published=at(-1)))
    merged = encode(event).replace(b'"merged_into":null', b'"merged_into":"other"')
    values = {"a": encode(event), "b": encode(other), "c": merged, "d": b"damaged"}
    assert [e.event_id for e in unmerged(values)] == [other.event_id, event.event_id]


def test_damaged_state_is_refused():
    assembly = Assembly()
    assembly.apply(mention())
    (data, *_) = [data for _, data in assembly.states()]
    for damaged in (b"", b"\x01", data[:-3], b"\x01x" + data[2:], b"\x01p" + data[2:]):
        with pytest.raises(DecodeError):
            unpack(damaged)
    with pytest.raises(NewerSchemaError):
        unpack(b"\x02" + data[1:])
    assert pack(unpack(data)) == data

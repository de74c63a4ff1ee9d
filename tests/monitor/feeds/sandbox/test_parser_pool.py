"""Test the guarded parser processes: hostile documents stay within limits and do not affect other documents."""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.errors import FeedError
from monitor.feeds.sandbox import parser_process
from monitor.feeds.sandbox.parser_pool import ParserPool
from monitor.language import model_file

pytestmark = pytest.mark.slow

GOOD = b"<rss version='2.0'><channel><title>Good</title><item><title>One</title></item></channel></rss>"


@pytest.fixture
async def pool() -> AsyncIterator[ParserPool]:
    async with ParserPool(2, cpu_seconds=6.0) as running:
        yield running


def item(inner: bytes) -> bytes:
    return b"<rss version='2.0'><channel><item>" + inner + b"</item></channel></rss>"


ATTRIBUTES = b" ".join(b'a%d="1"' % n for n in range(50_000))
NESTED_ENTITIES = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 10))
#: document -> the reason it is refused with, or how many entries come of it
BOMBS: dict[str, tuple[bytes, str | int]] = {
    "billion laughs": (
        b'<!DOCTYPE rss [<!ENTITY e0 "ha">' + NESTED_ENTITIES + b"]>" + item(b"<title>&e9;</title>"), 1),
    "quadratic entity": (
        b'<!DOCTYPE rss [<!ENTITY e "' + b"x" * 60_000 + b'">]>' + item(b"<title>" + b"&e;" * 60_000 + b"</title>"), 1),
    "external entity": (
        b'<!DOCTYPE rss [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + item(b"<title>&e;</title>"), 1),
    "endless doctype": (b"<!DOCTYPE rss [" + b'<!ENTITY a "' * 300_000, "not_a_feed"),
    "50,000 attributes": (item(b"<x " + ATTRIBUTES + b"/>"), "too_many_attributes"),
    "50,000 attributes, ill formed": (
        b"<rss><channel><item><x " + ATTRIBUTES + b">", "too_many_attributes"),
    "one tag of a megabyte": (b"<rss><channel><item><x y='" + b"a" * 1_000_000 + b"'><b></item>", "tag_too_large"),
    "100,000 nested elements": (b"<rss><channel><item>" + b"<a>" * 100_000, "too_deep"),
    "100,000 entries": (
        b"<rss><channel>" + b"<item><title>x</title></item>" * 100_000 + b"</channel></rss>", 2_000),
    "100,000 entries, ill formed": (b"<rss><channel>" + b"<item><title>x</title></item><br>" * 100_000, "too_deep"),
    "nested html": (item(b"<description><![CDATA[" + b"<div>" * 200_000 + b"]]></description>"), "parse_timeout"),
    "four million <": (b"<rss><channel><item>" + b"<" * 4_000_000, "parse_timeout"),
    "a million open cdata": (b"<rss><channel><item>" + b"<![CDATA[" * 800_000, "truncated"),
    "numbers in json": (b'{"version":"jsonfeed.org/version/1","items":[' + b"9" * 1_000_000 + b"]}", "not_a_feed"),
    "nested json": (b'{"items":' + b"[" * 200_000, "not_a_feed"),
    "a million lists": (b'{"items":' + b"[" * 1_000_000, "too_many_objects"),
    "a million objects": (b'{"items":[' + b"{}," * 1_000_000 + b"{}]}", "too_many_objects"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
async def test_bombs_end_in_time_with_a_named_reason_or_what_can_be_read(pool: ParserPool, name: str) -> None:
    document, outcome = BOMBS[name]
    began = time.monotonic()
    other = asyncio.create_task(pool.parse(GOOD))
    if isinstance(outcome, int):
        parsed = await pool.parse(document)
        assert len(parsed.entries) == outcome
        assert all(len(entry.title) <= 1_000 and "root:" not in entry.title for entry in parsed.entries)
    else:
        with pytest.raises(FeedError) as caught:
            await pool.parse(document)
        assert caught.value.reason == outcome
    assert (await other).title == "Good"
    assert (await pool.parse(GOOD)).title == "Good"
    assert time.monotonic() - began < 20


async def test_the_loop_is_free_while_a_document_is_parsed(pool: ParserPool) -> None:
    busy = asyncio.create_task(pool.parse(BOMBS["nested html"][0]))
    longest, last = 0.0, time.monotonic()
    while not busy.done():
        await asyncio.sleep(0.005)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    assert isinstance(busy.exception(), FeedError)
    assert longest < 1.5  # the bench measures it; here only that nothing is parsed in this process


@pytest.mark.parametrize("limit", [{"memory": 192 << 20}, {"heap": 80 << 20}], ids=["address space", "heap"])
async def test_a_document_that_needs_too_much_memory_is_refused(limit: dict[str, int]) -> None:
    text = "".join(f"<item><title>{n}</title><description>{'x' * 3800}</description></item>" for n in range(2_000))
    document = f"<rss><channel><language>en</language>{text}</channel></rss>".encode()
    async with ParserPool(1, cpu_seconds=5, **limit) as small:
        with pytest.raises(FeedError) as caught:
            await small.parse(document)
        # Python says when it has no memory; a C library may fall over it.
        assert caught.value.reason in {"parse_memory", "parse_crash"}
        assert (await small.parse(GOOD)).title == "Good"


async def test_a_worker_that_has_become_large_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    large = b"<rss><channel>" + b"".join(
        b"<item><guid>%d</guid><description>%s</description></item>" % (n, b"word " * 700) for n in range(2_000)
    )
    async with ParserPool(1, cpu_seconds=20) as one:
        await one.parse(GOOD)
        before = workers()
        await one.parse(GOOD)
        assert workers() == before
        assert len((await one.parse(large + b"</channel></rss>")).entries) == 2_000
        assert workers() != before


@pytest.mark.parametrize("words", ["word " * 750, "слово" * 375], ids=["Latin", "Cyrillic"])
async def test_a_document_of_nearly_the_largest_size_is_read_within_the_limits(words: str) -> None:
    items = "".join(f"<item><guid>{n}</guid><description>{words}</description></item>" for n in range(2_000))
    document = f"<rss version='2.0'><channel><title>\U0001f600</title>{items}</channel></rss>".encode()
    assert 7_000_000 < len(document) < 8 << 20
    async with ParserPool(1, cpu_seconds=20) as one:
        assert len((await one.parse(document)).entries) == 2_000


async def test_large_documents_wait_for_each_other_and_nobody_else_waits_for_them() -> None:
    slow = item(b"<description><![CDATA[" + b"<div>" * 300_000 + b"]]></description>")
    assert len(slow) > 1 << 20
    async with ParserPool(2, cpu_seconds=1.5) as two:
        await asyncio.gather(two.parse(GOOD), two.parse(GOOD))
        both = [asyncio.create_task(two.parse(slow)) for _ in range(2)]
        for _ in range(5):
            assert (await two.parse(GOOD)).title == "Good"
        assert not any(task.done() for task in both), "both workers would have been taken"
        ends = await asyncio.gather(*both, return_exceptions=True)
        assert [getattr(end, "reason", end) for end in ends] == ["parse_timeout"] * 2


async def test_what_goes_through_the_pipe_has_no_html(pool: ParserPool) -> None:
    (entry,) = (await pool.parse(item(b"<description>a &lt;b&gt;bold&lt;/b&gt; word</description>"))).entries
    assert (entry.summary, entry.html) == ("a bold word", "")


async def test_a_killed_worker_costs_one_document_and_is_replaced() -> None:
    async with ParserPool(1, cpu_seconds=20) as one:
        await one.parse(GOOD)
        (pid,) = workers()
        running = asyncio.create_task(one.parse(BOMBS["nested html"][0]))
        await asyncio.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(FeedError) as caught:
            await running
        assert caught.value.reason == "parse_memory"
        assert (await one.parse(GOOD)).title == "Good"
        assert workers() != [pid]


async def test_a_worker_that_is_killed_with_nothing_to_do_costs_nothing() -> None:
    async with ParserPool(1) as one:
        await one.parse(GOOD)
        (pid,) = workers()
        os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.1)
        assert (await one.parse(GOOD)).title == "Good"
        assert workers() != [pid]


async def test_without_their_template_workers_go_on_and_the_next_one_has_a_new_template() -> None:
    async with ParserPool(1, recycle=3) as one:
        await one.parse(GOOD)
        (template,) = children(os.getpid())
        os.kill(template, signal.SIGKILL)
        for _ in range(4):
            assert (await one.parse(GOOD)).title == "Good"
        assert children(os.getpid()) not in ([], [template])
    assert children(os.getpid()) == []


async def test_a_template_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ParserPool(1, recycle=1) as one:
        await one.parse(GOOD)
        (template,) = children(os.getpid())
        os.kill(template, signal.SIGSTOP)
        monkeypatch.setattr(parser_process, "PATIENCE_S", 0.2)
        with pytest.raises(FeedError) as caught:
            await one.parse(GOOD)
        assert caught.value.reason == "parse_crash"
        monkeypatch.undo()
        assert (await one.parse(GOOD)).title == "Good"
        assert children(os.getpid()) not in ([], [template])
    assert children(os.getpid()) == []


async def test_a_template_that_hangs_after_its_caller_gave_up_ends_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    async with ParserPool(1, recycle=1) as one:
        await one.parse(GOOD)
        (template,) = children(os.getpid())
        os.kill(template, signal.SIGSTOP)
        monkeypatch.setattr(parser_process, "PATIENCE_S", 0.4)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await one.parse(GOOD)
        while template in children(os.getpid()):  # noqa: ASYNC110  # a process is no event
            await asyncio.sleep(0.02)
    gc.collect()
    assert said == []


async def test_what_is_under_way_when_a_pool_is_closed_fails_at_once() -> None:
    one = ParserPool(1, cpu_seconds=20)
    await one.parse(GOOD)
    running = asyncio.create_task(one.parse(BOMBS["nested html"][0]))
    await asyncio.sleep(0.1)
    began = time.monotonic()
    await one.close()
    with pytest.raises(FeedError):
        await running
    assert time.monotonic() - began < 4
    assert children(os.getpid()) == []


async def test_a_worker_holds_nothing_of_its_template_but_what_it_needs() -> None:
    async with ParserPool(2) as two:
        await asyncio.gather(two.parse(GOOD), two.parse(GOOD))
        for pid in workers():
            held = {fd.name: str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()}
            assert held.pop("0").startswith("socket:")
            assert (held.pop("1"), held.pop("2")) == ("/dev/null", "/dev/null")
            for number, name in held.items():  # the language model's file, kept or without a name
                flags = int(re.findall(r"flags:\s*(\d+)", Path(f"/proc/{pid}/fdinfo/{number}").read_text())[0], 8)
                kept = name == str(model_file.KEPT) and flags & os.O_ACCMODE == os.O_RDONLY
                assert kept or "(deleted)" in name, "a parser could change what later processes read"
            assert len(list(Path(f"/proc/{pid}/task").iterdir())) == 1
            assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0) + 5


async def test_workers_are_replaced_after_their_share_of_documents() -> None:
    async with ParserPool(1, recycle=3) as one:
        seen = []
        for _ in range(4):
            await one.parse(GOOD)
            seen += workers()[:1]
        assert len(set(seen)) == 2
    assert workers() == []


async def test_a_caller_who_gives_up_does_not_leave_an_answer_behind() -> None:
    async with ParserPool(1, cpu_seconds=20) as one:
        await one.parse(GOOD)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await one.parse(BOMBS["nested html"][0])
        assert (await one.parse(GOOD)).title == "Good"


async def test_a_worker_that_gives_no_answer_is_given_up() -> None:
    async with ParserPool(1, deadline=0.5, cpu_seconds=60) as one:
        with pytest.raises(FeedError) as caught:
            await one.parse(BOMBS["nested html"][0])
        assert caught.value.reason == "parse_timeout"


async def test_a_closed_pool_says_so() -> None:
    one = ParserPool(1)
    await one.close()
    with pytest.raises(FeedError):
        await one.parse(GOOD)
    with pytest.raises(ValueError):
        ParserPool(0)


def workers() -> list[int]:
    """The process ids of this process's parsers: its templates' children."""
    return [parser for template in children(os.getpid()) for parser in children(template)]


def children(of: int) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        try:
            stat = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if stat[1] == str(of) and stat[0] != "Z" and b"monitor.feeds.sandbox.parser_template" in command:
            found.append(int(folder.name))
    return found


async def test_what_parsers_load_first_takes_nothing_of_a_document_s_time() -> None:
    """Unpacking the language model takes seconds of processor time on a slow machine."""
    entry = "<item><title>Il reçoit le chancelier à Évian</title></item>"
    foreign = f"<rss><channel><title>Le président</title>{entry}</channel></rss>"
    async with ParserPool(1, cpu_seconds=0.3) as brief:
        assert (await brief.parse(foreign.encode())).title == "Le président"

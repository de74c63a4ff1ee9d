"""Benchmark assembly: replay from article to event, the size of its state, and the cost of a mention over time."""

from __future__ import annotations

import gc
import os
import statistics
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.articles import Lines, read_article
from monitor.assemble import Assembly
from monitor.assemble.replay import replay
from monitor.detect import Detector
from monitor.records import Mention, Participant, Source, When

STREAM = Path(os.environ.get("SUMMITRY_EVAL", "../shared")) / "streams" / "dev.jsonl"
ARTICLES = 50
_START = datetime(2026, 1, 1, tzinfo=UTC)


def sample(number: int, pairs: int) -> Mention:
    """A mention of its own article: event `number // ARTICLES`, spread over `pairs` pairs of leaders."""
    event, copy = divmod(number, ARTICLES)
    pair, turn = event % pairs, event // pairs
    day = (_START + timedelta(days=3 * turn)).date()
    leaders = tuple(
        Participant(
            leader=f"leader-{pair}-{side}", name=f"Leader {pair} {side}", country=f"{side}{pair}", office="President"
        )
        for side in "ab"
    )
    published = _START + timedelta(days=3 * turn, minutes=copy)
    title = f"Sample leaders {pair} and their counterparts speak by phone for the {turn}th time, says paper {copy}"
    return Mention(
        article_id=f"sample-article-{number:08d}",
        participants=leaders,
        kind="call",
        medium="phone",
        status="held",
        when=When(start=day, end=day, text="Thursday"),
        confidence=0.9,
        language="en",
        source=Source(
            article_id=f"sample-article-{number:08d}",
            title=title,
            url=f"https://news-{copy}.example/world/{number:08d}/leaders-speak-by-phone",
            outlet=f"outlet-{copy}",
            publisher=f"publisher-{copy}",
            published=published,
            excerpt=f"{title}. " + " ".join(f"word{(number * 31 + k) % 997}" for k in range(120)),
        ),
    )


def replay_speed() -> tuple[float, float]:
    """Articles a second of detection alone, and of replay (detection and assembly)."""
    articles = [read_article(line) for _, _, line in Lines((str(STREAM),))]
    detect = Detector().detect
    started = time.process_time()
    for article in articles:
        detect(article)
    alone = time.process_time() - started
    started = time.process_time()
    for _ in replay(articles, detect):
        pass
    return len(articles) / alone, len(articles) / (time.process_time() - started)


def state_size(events: int = 10_000, share: int = 250) -> float:
    """Megabytes that `events` open events of ARTICLES articles take, measured on one in `share` of them."""
    first = Assembly()
    for number in range(events // share * ARTICLES):
        first.apply(sample(number, pairs=events // share))
    states = [data for _, data in first.states()]
    del first
    gc.collect()
    tracemalloc.start()
    assembly = Assembly.restore(bytes(bytearray(data)) for data in states)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert assembly.open_events == events // share
    return size * share / 1e6


def growth(history: int) -> float:
    """Microseconds that one mention takes with `history` events before it, in steady state with closing of old ones."""
    assembly = Assembly()
    pairs = 100
    for event in range(history):
        mention = sample(event * ARTICLES, pairs)
        assert mention.source is not None
        assert mention.source.published is not None
        assembly.advance(mention.source.published)
        assembly.apply(mention)
    times = []
    for event in range(history, history + 300):
        mention = sample(event * ARTICLES, pairs)
        assert mention.source is not None
        assert mention.source.published is not None
        assembly.advance(mention.source.published)
        started = time.perf_counter()
        assembly.apply(mention)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


def run() -> None:
    """Print the figures."""
    if STREAM.exists():
        alone, both = replay_speed()
        print(
            f"replay of {STREAM.name}: {both:,.0f} articles/s on one core ({both / 4000:.1f} of the 4,000 asked for),"
        )
        print(f"  detection alone {alone:,.0f} articles/s: assembly takes {1 - both / alone:.0%} of the time")
    else:
        print(f"replay: {STREAM} is not there; set SUMMITRY_EVAL")
    size = state_size()
    print(f"10,000 open events of {ARTICLES} articles: {size:.0f} MB ({size / 300:.2f} of the 300 MB allowed)")
    base = growth(1_000)
    for history in (1_000, 10_000, 100_000):
        cost = base if history == 1_000 else growth(history)
        print(f"one mention after {history:>7,} events: {cost:5.0f} µs ({cost / base:.2f} of that after 1,000)")

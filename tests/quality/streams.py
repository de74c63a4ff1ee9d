"""Score the events of a whole stream, next to two common ways of making events."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from monitor.assemble.replay import final_events, replay, same_event
from monitor.detect import Detector
from monitor.records import Article, Event, Mention, event_line, mention_line
from tests.quality.contacts import first_alerts, merge, told_contacts
from tests.quality.scores import event_scores, run
from tests.quality.sets import Sets, read_lines

#: Title similarity is given the best of these thresholds (Jaccard of words), measured on the same links.
THRESHOLDS = (0.2, 0.3, 0.4, 0.5)
#: The day on which both headlines of a pair are taken to be published: one on which those they name hold their offices.
PAIRS_DAY = datetime(2025, 8, 8, 12, tzinfo=UTC)
_WINDOW = timedelta(days=3)
_WORD = re.compile(r"[^\W\d_]{3,}")


def mentions_of(articles: Sequence[Article], detector: Detector) -> dict[str, tuple[Mention, ...]]:
    """The mentions of each article that has some, by its id."""
    return {article.id: found for article in articles if (found := detector.detect(article))}


def revisions_of(articles: Sequence[Article], mentions: dict[str, tuple[Mention, ...]]) -> list[Event]:
    """The revisions of the stream's events: assembly on mentions that were found before."""
    return list(replay(articles, lambda article: mentions.get(article.id, ())))


def pairs_right(pairs: Sequence[dict[str, Any]], detector: Detector) -> list[bool]:
    """For each pair of headlines, both of one day, whether assembly tells rightly if they speak of the same event."""
    told = []
    for pair in pairs:
        a, b = (
            Article(id=name, title=pair[name], language=pair.get("lang", ""), published=PAIRS_DAY)
            for name in ("a", "b")
        )
        told.append(same_event(a, b, detector.detect) == bool(pair["same_event"]))
    return told


def by_title(articles: Sequence[Article], threshold: float) -> list[list[str]]:
    """Articles clustered by title: each joins the most similar cluster of the last three days, or opens one."""
    clusters: list[tuple[list[str], list[set[str]], Article]] = []
    for article in articles:
        words = {word.lower() for word in _WORD.findall(article.title)}
        best, score = None, threshold
        for cluster in reversed(clusters):
            last = cluster[2]
            if article.published and last.published and article.published - last.published > _WINDOW:
                continue
            similar = max(len(words & other) / len(words | other) if words | other else 0.0 for other in cluster[1])
            if similar >= score:
                best, score = cluster, similar
        if best is None:
            clusters.append(([article.id], [words], article))
        else:
            best[0].append(article.id)
            best[1].append(words)
    return [ids for ids, _, _ in clusters]


def one_a_day(articles: Sequence[Article], mentions: dict[str, tuple[Mention, ...]]) -> dict[str, set[str]]:
    """The field's rule: an event is a date of publication, a set of participants and a kind."""
    clusters: dict[str, set[str]] = {}
    for article in articles:
        for one in mentions.get(article.id, ()):
            day = article.published.date() if article.published else None
            who = "+".join(sorted(p.leader for p in one.participants))
            clusters.setdefault(f"{day} {who} {one.kind}", set()).add(article.id)
    return clusters


def rows(
    sets: Sets,
    articles: Sequence[Article],
    mentions: dict[str, tuple[Mention, ...]],
    revisions: Sequence[Event],
    name: str = "dev",
) -> dict[str, dict[str, float]]:
    """The figures of `score_events.py` for Summitry, for one-a-day and for the best of the title clusterings.

    `name` is the stream's, by which its linked items are found.

    Two are added to them: `merge`, real contacts per event, and `alerts`, first alerts per real contact. Each event of
    the other systems is taken for an alert.
    """
    events = list(final_events(revisions))
    files = (sets.events(f"{name}_candidates.jsonl"), sets.events(f"{name}_links.jsonl"))
    links = {line["id"]: {link["event"] for link in line["links"]} for line in read_lines(files[1])}
    judged = {line["id"] for line in read_lines(files[0])}
    seen = [article for article in articles if article.id in mentions]
    with TemporaryDirectory() as folder:
        events_file, mentions_file = Path(folder, "events.jsonl"), Path(folder, "mentions.jsonl")
        events_file.write_bytes(b"".join(event_line(one) + b"\n" for one in events))
        mentions_file.write_bytes(b"".join(mention_line(one) + b"\n" for found in mentions.values() for one in found))
        found = event_scores(run(sets.score_events, *files, events_file, "--mentions", mentions_file))
        tries = []
        for threshold in THRESHOLDS:
            titles = {str(number): set(ids) for number, ids in enumerate(by_title(seen, threshold))}
            events_file.write_text(
                "".join(
                    json.dumps({"event_id": name, "sources": [{"article_id": one} for one in sorted(ids)]}) + "\n"
                    for name, ids in titles.items()
                ),
                "utf-8",
            )
            row = event_scores(run(sets.score_events, *files, events_file))["summitry"]
            tries.append(row | _added(titles, judged, links))
    clusters = {event.event_id: {source.article_id for source in event.sources} for event in events}
    found["summitry"] |= _added(clusters, judged, links)
    found["summitry"]["alerts"] = first_alerts(revisions, clusters, links)
    found["one-a-day"] |= _added(one_a_day(seen, mentions), judged, links)
    found["titles"] = max(tries, key=lambda row: row["b3"])
    return found


def _added(clusters: dict[str, set[str]], judged: set[str], links: dict[str, set[str]]) -> dict[str, float]:
    clusters = {name: items & judged for name, items in clusters.items()}
    told = list(told_contacts(clusters, links).values())
    return {"merge": merge(clusters, links), "alerts": len(told) / len(set(told)) if told else 0.0}

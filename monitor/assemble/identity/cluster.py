"""Sightings of one group of states put to events anew: the fold, and which old event each cluster is.

A cluster starts as what an open event was before the day that is done again, or as nothing; the fold adds sightings,
and `name_clusters` finds out which event each cluster is by now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

from monitor.assemble.claims.coverage import MAX_SOURCES
from monitor.assemble.claims.sighting import HAPPENED, Sighting, canonical_order
from monitor.assemble.identity.anchor import Anchor
from monitor.assemble.identity.match import THRESHOLD, recency, score
from monitor.assemble.identity.occasion import one_occasion
from monitor.assemble.stored import EventState


class Cluster:
    """Sightings that belong together while a group is assembled anew."""

    __slots__ = ("anchor", "event_id", "sightings")

    def __init__(self, event_id: str, sightings: list[Sighting] | None, anchor: Anchor) -> None:
        self.event_id = event_id
        #: None while nothing was added to an event that was not taken back.
        self.sightings = sightings
        self.anchor = anchor


def _fold_order(s: Sighting) -> tuple[int, int, tuple[int, str, int, str]]:
    """Within a day, what says more comes first, so that what says less finds it."""
    dated = s.span is not None and s.span[0] == s.span[1]
    if s.background:
        tier = 6
    elif s.loose:
        tier = 5
    elif s.status in HAPPENED:
        tier = 0 if dated else 2
    else:
        tier = 1 if dated else 3 if s.span is not None or s.forum or s.place else 4
    return tier, int(s.remote is None), canonical_order(s)


def fold(clusters: list[Cluster], pool: Iterable[Sighting], read: Callable[[str], Sequence[Sighting]]) -> None:
    """Put each sighting to the cluster that it fits best, or to a new one; `read` gives the sightings of an event.

    The order is by day, and within a day what says more comes first, so that what says less finds it. Of two clusters
    that fit equally, the one talked of last gets it.
    """
    for s in sorted(pool, key=lambda s: (s.day, _fold_order(s))):
        best: tuple[int, float, int, int] | None = None
        chosen: Cluster | None = None
        for cluster in clusters:
            fit = score(s, cluster.anchor)
            if fit is None or fit < THRESHOLD:
                continue
            rank = (recency(s, cluster.anchor), round(fit, 6), cluster.anchor.last, -cluster.anchor.first)
            if best is None or rank > best:
                best, chosen = rank, cluster
        if chosen is None:
            clusters.append(Cluster("", [s], Anchor((s,))))
            continue
        if chosen.sightings is None:
            # The anchor in the working state stays as it is until the event is stored again.
            chosen.sightings = list(read(chosen.event_id))
            chosen.anchor = Anchor(chosen.sightings)
        chosen.sightings.append(s)
        chosen.anchor.add(s)
    _join(clusters, read)


def _join(clusters: list[Cluster], read: Callable[[str], Sequence[Sighting]]) -> None:
    """Make one cluster of those that turn out to be one occasion; the better known one takes in the other."""
    changed = True
    while changed:
        changed = False
        order = sorted(clusters, key=lambda c: (-len(c.anchor.articles), c.anchor.first, min(c.anchor.articles)))
        for at, large in enumerate(order):
            for small in order[at + 1 :]:
                if large.sightings is None and small.sightings is None:
                    continue
                if one_occasion(large.anchor, small.anchor):
                    whole = [
                        s for c in (large, small) for s in (read(c.event_id) if c.sightings is None else c.sightings)
                    ]
                    large.sightings, large.anchor = whole, Anchor(whole)
                    clusters.remove(small)
                    changed = True
                    break
            if changed:
                break


def bounded(sightings: Sequence[Sighting]) -> Sequence[Sighting]:
    """At most MAX_SOURCES sightings: of later ones, those stay that claim something not claimed before."""
    if len(sightings) <= MAX_SOURCES:
        return sightings
    kept: list[Sighting] = []
    spare: list[Sighting] = []
    claimed = set()
    for s in sorted(sightings, key=canonical_order):
        claim = (s.status, s.medium, s.span, s.place, s.forum, s.speaks_for if s.official else "")
        (spare if claim in claimed else kept).append(s)
        claimed.add(claim)
    return [*kept[:MAX_SOURCES], *spare[: max(0, MAX_SOURCES - len(kept))]]


def name_clusters(
    clusters: list[Cluster],
    opened: dict[str, EventState],
    taken: Callable[[str], bool],
    corrected: tuple[Sighting, Sighting] | None,
) -> dict[str, str]:
    """Give ids to new clusters: of an event that was taken back whole, the one that most of it went to; else a new one.

    `taken` tells ids that no new cluster may have; `corrected` is a sighting that an edit of its article replaced, with
    the new one. Returns the ids that no cluster bears any more, each with the id that
    most of its claims went to, '' when none is left.
    """
    home: dict[tuple[str, int, str], Cluster] = {
        (s.article_id, s.revision, s.contact): c for c in clusters for s in c.sightings or ()
    }
    if corrected is not None:
        old, new = corrected
        home[old.article_id, old.revision, old.contact] = home[new.article_id, new.revision, new.contact]
    standing = {c.event_id for c in clusters if c.event_id}
    free = [state for event_id, state in opened.items() if event_id not in standing]
    shares: list[tuple[int, int, str, int]] = []
    counts: dict[tuple[str, int], int] = {}
    number = {id(c): i for i, c in enumerate(clusters)}
    for state in free:
        for s in state.sightings:
            cluster = home.get((s.article_id, s.revision, s.contact))
            if cluster is not None:
                key = state.event_id, number[id(cluster)]
                counts[key] = counts.get(key, 0) + 1
    shares = sorted((-count, -opened[i].revision, i, n) for (i, n), count in counts.items())
    used: set[str] = set()
    for _, _, event_id, n in shares:
        if not clusters[n].event_id and event_id not in used:
            clusters[n].event_id = event_id
            used.add(event_id)
    fresh: set[str] = set()
    for cluster in clusters:
        if not cluster.event_id:
            cluster.event_id = _new_id(cluster.sightings or [], lambda event_id: event_id in fresh or taken(event_id))
            fresh.add(cluster.event_id)
    merged: dict[str, str] = {}
    for state in free:
        if state.event_id in used:
            continue
        merged[state.event_id] = next((clusters[n].event_id for _, _, i, n in shares if i == state.event_id), "")
    return merged


def _new_id(sightings: Sequence[Sighting], taken: Callable[[str], bool]) -> str:
    """An id from what the first sighting says: the same input gives the same id."""
    first = min(sightings, key=canonical_order)
    parts = [*(p.leader for p in first.participants), first.article_id, first.contact]
    salt = 0
    while True:
        event_id = blake2b("\n".join([*parts, str(salt)]).encode("utf-8", "replace"), digest_size=8).hexdigest()
        if not taken(event_id):
            return event_id
        salt += 1

"""Assigns the sightings of one group of states to events again, and finds which known event each result is.

A cluster starts empty, or as an open event was before the first day that is assigned again. `fold` adds sightings to
clusters, and `name_clusters` then decides which event each cluster is.
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
    """Sightings that belong together, while a group is assembled again."""

    __slots__ = ("anchor", "event_id", "sightings")

    def __init__(self, event_id: str, sightings: list[Sighting] | None, anchor: Anchor) -> None:
        self.event_id = event_id
        #: None until something is added to an event that was not reset.
        self.sightings = sightings
        self.anchor = anchor


def _fold_order(s: Sighting) -> tuple[int, int, tuple[int, str, int, str]]:
    """Sort key: within a day, more informative sightings come first, so that vaguer ones can join them."""
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
    """Add each sighting to the cluster that fits it best, or to a new one; `read` returns the sightings of an event.

    Sightings are taken by day, and within a day the more informative first, so that vaguer ones can join them. If two
    clusters fit equally well, the one that was mentioned last gets it.
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
            # The anchor in the working state must not change before the event is stored again.
            chosen.sightings = list(read(chosen.event_id))
            chosen.anchor = Anchor(chosen.sightings)
        chosen.sightings.append(s)
        chosen.anchor.add(s)
    _join(clusters, read)


def _join(clusters: list[Cluster], read: Callable[[str], Sequence[Sighting]]) -> None:
    """Join clusters that turn out to be one occasion; the one with more articles absorbs the other."""
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
    """Keep at most MAX_SOURCES sightings; beyond that, only later ones that claim something new."""
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
    """Give new clusters ids: the id of a reset event whose sightings mostly came here, or a new id.

    `taken` says which ids are in use. `corrected` is a sighting that an edit of its article replaced, with the new one.
    Returns the ids that no cluster has any more, each with the id that took over most of its claims ('' for none).
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
    """An id computed from the first sighting, so that the same input gives the same id."""
    first = min(sightings, key=canonical_order)
    parts = [*(p.leader for p in first.participants), first.article_id, first.contact]
    salt = 0
    while True:
        event_id = blake2b("\n".join([*parts, str(salt)]).encode("utf-8", "replace"), digest_size=8).hexdigest()
        if not taken(event_id):
            return event_id
        salt += 1

"""Assigns the mentions of one group of states to events again, and finds which known event each result is.

A cluster starts empty, or as an open event was before the first day that is assigned again. `fold` adds mentions to
clusters, and `name_clusters` then decides which event each cluster is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b

from monitor.assemble.claims.coverage import MAX_SOURCES
from monitor.assemble.claims.kept_mention import HAPPENED, KeptMention, canonical_order
from monitor.assemble.identity.anchor import Anchor
from monitor.assemble.identity.match import THRESHOLD, recency, score
from monitor.assemble.identity.occasion import one_occasion
from monitor.assemble.stored import EventState


class Cluster:
    """Mentions that belong together, while a group is assembled again."""

    __slots__ = ("anchor", "event_id", "mentions")

    def __init__(self, event_id: str, mentions: list[KeptMention] | None, anchor: Anchor) -> None:
        self.event_id = event_id
        #: None until something is added to an event that was not reset.
        self.mentions = mentions
        self.anchor = anchor


def _fold_order(m: KeptMention) -> tuple[int, int, tuple[int, str, int, str]]:
    """Sort key: within a day, more informative mentions come first, so that vaguer ones can join them."""
    dated = m.span is not None and m.span[0] == m.span[1]
    if m.background:
        tier = 6
    elif m.loose:
        tier = 5
    elif m.status in HAPPENED:
        tier = 0 if dated else 2
    else:
        tier = 1 if dated else 3 if m.span is not None or m.forum or m.place else 4
    return tier, int(m.remote is None), canonical_order(m)


def fold(clusters: list[Cluster], pool: Iterable[KeptMention], read: Callable[[str], Sequence[KeptMention]]) -> None:
    """Add each mention to the cluster that fits it best, or to a new one; `read` returns the mentions of an event.

    Mentions are taken by day, and within a day the more informative first, so that vaguer ones can join them. If two
    clusters fit equally well, the one that was mentioned last gets it.
    """
    for m in sorted(pool, key=lambda m: (m.day, _fold_order(m))):
        best: tuple[int, float, int, int] | None = None
        chosen: Cluster | None = None
        for cluster in clusters:
            fit = score(m, cluster.anchor)
            if fit is None or fit < THRESHOLD:
                continue
            rank = (recency(m, cluster.anchor), round(fit, 6), cluster.anchor.last, -cluster.anchor.first)
            if best is None or rank > best:
                best, chosen = rank, cluster
        if chosen is None:
            clusters.append(Cluster("", [m], Anchor((m,))))
            continue
        if chosen.mentions is None:
            # The anchor in the working state must not change before the event is stored again.
            chosen.mentions = list(read(chosen.event_id))
            chosen.anchor = Anchor(chosen.mentions)
        chosen.mentions.append(m)
        chosen.anchor.add(m)
    _join(clusters, read)


def _join(clusters: list[Cluster], read: Callable[[str], Sequence[KeptMention]]) -> None:
    """Join clusters that turn out to be one occasion; the one with more articles absorbs the other."""
    changed = True
    while changed:
        changed = False
        order = sorted(clusters, key=lambda c: (-len(c.anchor.articles), c.anchor.first, min(c.anchor.articles)))
        for at, large in enumerate(order):
            for small in order[at + 1 :]:
                if large.mentions is None and small.mentions is None:
                    continue
                if one_occasion(large.anchor, small.anchor):
                    whole = [
                        m for c in (large, small) for m in (read(c.event_id) if c.mentions is None else c.mentions)
                    ]
                    large.mentions, large.anchor = whole, Anchor(whole)
                    clusters.remove(small)
                    changed = True
                    break
            if changed:
                break


def bounded(mentions: Sequence[KeptMention]) -> Sequence[KeptMention]:
    """Keep at most MAX_SOURCES mentions; beyond that, only later ones that claim something new."""
    if len(mentions) <= MAX_SOURCES:
        return mentions
    kept: list[KeptMention] = []
    spare: list[KeptMention] = []
    claimed = set()
    for m in sorted(mentions, key=canonical_order):
        claim = (m.status, m.medium, m.span, m.place, m.forum, m.speaks_for if m.official else "")
        (spare if claim in claimed else kept).append(m)
        claimed.add(claim)
    return [*kept[:MAX_SOURCES], *spare[: max(0, MAX_SOURCES - len(kept))]]


def name_clusters(
    clusters: list[Cluster],
    opened: dict[str, EventState],
    taken: Callable[[str], bool],
    corrected: tuple[KeptMention, KeptMention] | None,
) -> dict[str, str]:
    """Give new clusters ids: the id of a reset event whose mentions mostly came here, or a new id.

    `taken` says which ids are in use. `corrected` is a mention that an edit of its article replaced, with the new one.
    Returns the ids that no cluster has any more, each with the id that took over most of its claims ('' for none).
    """
    home: dict[tuple[str, int, str], Cluster] = {
        (m.article_id, m.revision, m.contact): c for c in clusters for m in c.mentions or ()
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
        for m in state.mentions:
            cluster = home.get((m.article_id, m.revision, m.contact))
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
            cluster.event_id = _new_id(cluster.mentions or [], lambda event_id: event_id in fresh or taken(event_id))
            fresh.add(cluster.event_id)
    merged: dict[str, str] = {}
    for state in free:
        if state.event_id in used:
            continue
        merged[state.event_id] = next((clusters[n].event_id for _, _, i, n in shares if i == state.event_id), "")
    return merged


def _new_id(mentions: Sequence[KeptMention], taken: Callable[[str], bool]) -> str:
    """An id computed from the first mention, so that the same input gives the same id."""
    first = min(mentions, key=canonical_order)
    parts = [*(p.leader for p in first.participants), first.article_id, first.contact]
    salt = 0
    while True:
        event_id = blake2b("\n".join([*parts, str(salt)]).encode("utf-8", "replace"), digest_size=8).hexdigest()
        if not taken(event_id):
            return event_id
        salt += 1

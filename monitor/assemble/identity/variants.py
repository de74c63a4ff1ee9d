"""Reports of one contact that name a participant more or less: which events are told as a part of another one.

Events of other sets of leaders are never mixed: each keeps its own sightings, and the smaller one is published as part
of the larger one as long as they agree on medium and day. A bilateral on the sidelines is no part of its summit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.assemble.identity.anchor import Anchor

#: Larger gatherings are not compared: reports of a summit never agree on who was there.
MAX_LEADERS = 12
#: Share of leaders that two lists of a gathering have in common.
_OVERLAP = 0.6


def is_variant(a: Anchor, b: Anchor) -> bool:
    """Say whether two events of different sets of leaders are one contact, told with a participant more or less."""
    if not (a.live and b.live) or a.leaders == b.leaders or a.articles & b.articles:
        return False
    small, large = sorted((a, b), key=lambda x: len(x.leaders))
    if len(large.leaders) > MAX_LEADERS or not small.leaders <= large.leaders or len(small.leaders) < 2:
        return False
    if a.settled is None or b.settled is None or not _same_day(a, b) or _apart(a.forums, b.forums):
        return False
    if len(small.leaders) > 2:
        alike = len(small.leaders) >= _OVERLAP * len(large.leaders)
        return (
            alike and (a.medium is None or b.medium is None or a.medium == b.medium) and not _apart(a.places, b.places)
        )
    # Two of several: only a call of the same day, or a meeting that is much better known with all of them.
    if a.medium is None or a.medium != b.medium or large.forums or "summit" in large.kinds or "visit" in small.kinds:
        return False
    if a.medium:
        return True
    return bool(small.places.keys() & large.places.keys()) and len(large.articles) > len(small.articles)


def _same_day(a: Anchor, b: Anchor) -> bool:
    first, second = a.settled, b.settled
    if first is None or second is None or bool(a.held) != bool(b.held):
        return False
    if a.held:
        return (a.day if a.day is not None else a.first_held) == (b.day if b.day is not None else b.first_held)
    return first == second


def _apart(a: Mapping[str, int], b: Mapping[str, int]) -> bool:
    return bool(a and b and not (a.keys() & b.keys()))


def _rank(item: tuple[str, Anchor]) -> tuple[int, int, int, int]:
    """The event that others are told as a part of: most articles, most leaders, known first; independent of ids."""
    anchor = item[1]
    return -len(anchor.articles), -len(anchor.leaders), anchor.first, min(anchor.articles)


def link(events: Mapping[str, Anchor]) -> dict[str, str]:
    """For each event of a set that is closed under `is_variant`, the event it is a part of, '' for none."""
    roots: list[tuple[str, Anchor]] = []
    into: dict[str, str] = {}
    for event_id, anchor in sorted(events.items(), key=_rank):
        root = next((i for i, other in roots if is_variant(anchor, other)), "")
        into[event_id] = root
        if not root:
            roots.append((event_id, anchor))
    return into


def pairs_of(leaders: Iterable[str]) -> list[tuple[str, str]]:
    """Return the index keys under which variants find each other; none for a large gathering."""
    named = sorted(leaders)
    if len(named) > MAX_LEADERS:
        return []
    return [(a, b) for i, a in enumerate(named) for b in named[i + 1 :]]

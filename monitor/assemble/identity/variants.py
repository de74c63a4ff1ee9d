"""Finds events of one contact whose reports name more or fewer participants, and publishes them as one.

Events of different sets of leaders are never mixed: each keeps its own mentions. The one with fewer articles is
published as part of the other while they agree on medium and day. A bilateral meeting on the sidelines is not part of
its summit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from monitor.assemble.identity.anchor import Anchor

#: Larger gatherings are not compared: reports of a summit never agree on who took part.
MAX_LEADERS = 12
#: Share of leaders that two lists of one gathering must have in common.
_OVERLAP = 0.6


def is_variant(a: Anchor, b: Anchor) -> bool:
    """Say whether two events with different sets of leaders are one contact, with more or fewer participants named."""
    if not (a.live and b.live) or a.leaders == b.leaders or a.articles & b.articles:
        return False
    small, large = sorted((a, b), key=lambda x: len(x.leaders))
    if len(large.leaders) > MAX_LEADERS or not small.leaders <= large.leaders or len(small.leaders) < 2:
        return False
    if small.alone:
        return False
    if a.settled is None or b.settled is None or _apart(a.forums, b.forums):
        return False
    if _is_of_guests(small, large):
        return True
    if not _same_day(a, b):
        return False
    if len(small.leaders) > 2:
        alike = len(small.leaders) >= _OVERLAP * len(large.leaders)
        return (
            alike and (a.medium is None or b.medium is None or a.medium == b.medium) and not _apart(a.places, b.places)
        )
    if small.kind == large.kind == "summit":
        return not (_apart(a.places, b.places) or _apart(a.countries, b.countries))
    # Two of several leaders: only a call of the same day, or a meeting that is much better known with all of them.
    if a.medium is None or a.medium != b.medium or large.forums or "summit" in large.kinds or "visit" in small.kinds:
        return False
    if a.medium:
        return True
    return bool(small.places.keys() & large.places.keys()) and len(large.articles) > len(small.articles)


def _is_of_guests(small: Anchor, large: Anchor) -> bool:
    """Whether two guests meet in the state of a third leader, and are reported to have met there with that leader.

    Only reports of all three count, at least as many as of the two, and of the day on which the two met or were to.
    """
    if len(small.leaders) != 2 or len(large.leaders) != 3 or small.medium is not False or large.medium is not False:
        return False
    home = large.states - small.states
    if not small.countries or not small.countries.keys() <= home or _apart(small.countries, large.countries):
        return False
    met = (large.day, large.day) if large.day is not None else (large.first_held, large.first_held)
    when = (small.held_day, small.held_day) if small.held else small.settled
    return large.held and when == met and len(large.articles) >= len(small.articles)


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
    """Sort key of the event that the others become part of: most articles, most leaders, earliest; not by id."""
    anchor = item[1]
    return -len(anchor.articles), -len(anchor.leaders), anchor.first, min(anchor.articles)


def link(events: Mapping[str, Anchor]) -> dict[str, str]:
    """Return, for each event of a set, the event of which it is published as part, '' for none.

    The set must contain every event that `is_variant` of one of its members.
    """
    roots: list[tuple[str, Anchor]] = []
    into: dict[str, str] = {}
    for event_id, anchor in sorted(events.items(), key=_rank):
        root = next((i for i, other in roots if is_variant(anchor, other)), "")
        into[event_id] = root
        if not root:
            roots.append((event_id, anchor))
    return into


def pairs_of(leaders: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs by which variants are looked up; none for a large gathering."""
    named = sorted(leaders)
    if len(named) > MAX_LEADERS:
        return []
    return [(a, b) for i, a in enumerate(named) for b in named[i + 1 :]]

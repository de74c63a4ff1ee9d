"""Compare an event with the state last sent to a receiver: what changed, and whether people should be notified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from monitor.records import Event

#: Fields whose change notifies people, the most important first.
MATERIAL = ("status", "time", "place", "medium", "participants", "threshold")
#: Fields whose change only edits the message.
QUIET = ("coverage", "text")


@dataclass(frozen=True)
class Changes:
    """The names of the fields that changed; `material` is in the order of MATERIAL."""

    material: tuple[str, ...]
    quiet: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.material or self.quiet)


def corroborated(event: Event) -> bool:
    """Tell whether at least two publishers or one official source reported the event."""
    return event.publishers >= 2 or event.official


def _facts(event: Event) -> dict[str, Any]:
    when = event.when
    place = event.place
    return {
        "status": event.status,
        "time": (when.start, when.end) if when else None,
        "place": (place.name, place.country) if place else None,
        "medium": event.medium,
        "participants": frozenset(participant.leader for participant in event.participants),
        "coverage": (event.publishers, event.reports, event.official, event.confirmed_by, len(event.sources)),
        # The kind is here, since "visit" becoming "meeting" with one more source is not news.
        "text": (event.kind, event.brief, event.forum, event.topics, event.context),
    }


def changes(told: Event, event: Event) -> Changes:
    """Return what changed between `told`, the state that the receiver knows, and `event`."""
    old, new = _facts(told), _facts(event)
    changed = [name for name in (*MATERIAL, *QUIET) if old.get(name) != new.get(name)]
    if corroborated(event) and not corroborated(told):
        changed.append("threshold")
    return Changes(
        material=tuple(name for name in MATERIAL if name in changed),
        quiet=tuple(name for name in QUIET if name in changed),
    )

"""Check whether an event matches a `Match` section of the configuration."""

from __future__ import annotations

from monitor.config import Match
from monitor.records import Event


def matches(match: Match, event: Event) -> bool:
    """Tell whether every given key of `match` matches the event; one value of a list is enough.

    An empty `match` matches all events.
    """
    leaders = {participant.leader for participant in event.participants}
    countries = {participant.country for participant in event.participants}
    return (
        (not match.leaders or not leaders.isdisjoint(match.leaders))
        and (not match.pairs or any(leaders.issuperset(pair.split("+")) for pair in match.pairs))
        and (not match.countries or not countries.isdisjoint(match.countries))
        and (not match.kinds or event.kind in match.kinds)
        and (not match.media or event.medium in match.media)
        and (not match.statuses or event.status in match.statuses)
        and (not match.forums or event.forum in match.forums)
        and (not match.topics or not set(event.topics).isdisjoint(match.topics))
        and (match.official is None or event.official is match.official)
        and event.confidence >= match.min_confidence
        and event.publishers >= match.min_publishers
        and event.reports >= match.min_reports
        and len(leaders) >= match.min_participants
    )

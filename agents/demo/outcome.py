"""Compare the alerts of the demonstration with the expected ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from agents.demo.story import Expected, ExpectedEvent
from monitor.records import Event


def messages_by_event(deliveries: Iterable[dict[str, Any]]) -> dict[str, list[tuple[str, Event]]]:
    """Return the messages about each event by its id, in order, as (tell, event). A repeated message counts once."""
    messages: dict[str, dict[str, Any]] = {delivery["id"]: delivery for delivery in deliveries}
    by_event: dict[str, list[tuple[str, Event]]] = {}
    for message in messages.values():
        for data in message["data"].get("items", [message["data"]]):
            if "event" in data:
                event = msgspec.convert(data["event"], Event)
                by_event.setdefault(event.event_id, []).append((data["tell"], event))
    return by_event


def problems(expected: Expected, by_event: dict[str, list[tuple[str, Event]]]) -> list[str]:
    """Return a sentence for each difference from the expected alerts; [] when there is none."""
    found = [
        f"{len(firsts)} first messages of {messages[-1][1].brief!r}, not one"
        for messages in by_event.values()
        if len(firsts := [tell for tell, _ in messages if tell == "first"]) != 1
    ]
    left = dict(by_event)
    for wanted in expected.events:
        match = next((key for key, messages in left.items() if _is(wanted, messages[-1][1])), None)
        if match is None:
            found.append(f"{wanted.name} was not alerted")
        else:
            found += [f"{wanted.name}: {problem}" for problem in _differences(wanted, left.pop(match))]
    found += [f"another alert was sent: {messages[-1][1].brief!r}" for messages in left.values()]
    return found


def _is(wanted: ExpectedEvent, event: Event) -> bool:
    leaders = {participant.leader for participant in event.participants}
    return leaders == set(wanted.leaders) and (event.medium, event.status) == (wanted.medium, wanted.status)


def _differences(wanted: ExpectedEvent, messages: Sequence[tuple[str, Event]]) -> Iterable[str]:
    event = messages[-1][1]
    if wanted.date and (event.when is None or event.when.start != wanted.date):
        yield f"dated {event.when.start if event.when else 'never'}, not {wanted.date}"
    if len(event.sources) < wanted.sources:
        yield f"{len(event.sources)} sources, not {wanted.sources} or more"
    if wanted.most_reports and event.reports > wanted.most_reports:
        yield f"{event.reports} independent reports, more than {wanted.most_reports}"
    if wanted.place and wanted.place not in _places(event):
        yield f"nobody places it in {wanted.place}"
    if wanted.corrected and len(messages) < 2:
        yield "never updated"


def _places(event: Event) -> set[str]:
    facts = [event.facts["place"]] if "place" in event.facts else []
    return {fact.value["name"] for fact in [*facts, *event.alternatives.get("place", ())] if fact.value}

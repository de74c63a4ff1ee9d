"""Compare events with real contacts: how many contacts an event holds, and how many first alerts a contact gets."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping

from monitor.config import Config
from monitor.notify.policy.decision import Policy, decide
from monitor.records import Event

#: Items of a system's events, by event; and the real contacts that each item speaks of.
Clusters = Mapping[str, set[str]]
Links = Mapping[str, set[str]]


def majority(items: set[str], links: Links) -> str:
    """The contact that most of the items speak of, '' when they speak of none."""
    counts = Counter(contact for item in items for contact in links.get(item, ()))
    return min(counts, key=lambda contact: (-counts[contact], contact), default="")


def told_contacts(clusters: Clusters, links: Links) -> dict[str, str]:
    """The contact that each event tells of, for those whose items speak of one.

    An article that speaks of two contacts is rightly in an event of each: of contacts that are equally common in an
    event, it is the one that fewer events before it tell of.
    """
    told: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for event, items in sorted(clusters.items(), key=lambda one: (-len(one[1]), one[0])):
        counts = Counter(contact for item in items for contact in links.get(item, ()))
        if counts:
            told[event] = min(counts, key=lambda contact: (-counts[contact], taken[contact], contact))
            taken[told[event]] += 1
    return told


def merge(clusters: Clusters, links: Links) -> float:
    """Real contacts per event: how few contacts account for an event's items, on average; 1 is best.

    An article may speak of two contacts and be rightly in an event of each: it counts for the commoner one.
    """
    sizes = []
    for items in clusters.values():
        rest, taken = {item for item in items if links.get(item)}, 0
        while rest:
            contact = majority(rest, links)
            rest = {item for item in rest if contact not in links[item]}
            taken += 1
        if taken:
            sizes.append(taken)
    return statistics.fmean(sizes) if sizes else 0.0


def first_alerts(revisions: Iterable[Event], clusters: Clusters, links: Links) -> float:
    """First messages per real contact that is told at all, by the alert rules without any configuration."""
    policy, into = Policy.of(Config()), {}
    told: dict[str, Event] = {}
    for event in revisions:
        if event.merged_into:
            into[event.event_id] = event.merged_into
        if event.event_id in told or not event.history:
            continue
        if decide(policy, "console", event, None, event.history[-1].at).tell == "first":
            told[event.event_id] = event
    contact_of = told_contacts(clusters, links)
    contacts = []
    for event_id in told:
        end = event_id
        while end in into and end not in clusters:
            end = into[end]
        if end in contact_of:
            contacts.append(contact_of[end])
    return len(contacts) / len(set(contacts)) if contacts else 0.0


def bcubed(clusters: Clusters, links: Links) -> tuple[float, float, float]:
    """B-cubed precision, recall and F1 of overlapping clusters (Amigó, Gonzalo, Artiles and Verdejo 2009).

    `links` has every judged item; one that speaks of no contact counts against precision where it is in an event.
    """
    found: dict[str, set[str]] = {item: set() for item in links}
    for event, items in clusters.items():
        for item in items & links.keys():
            found[item].add(event)
    precision, recall = _side(found, links), _side(links, found)
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _side(a: Mapping[str, set[str]], b: Mapping[str, set[str]]) -> float:
    shares = []
    for item, mine in a.items():
        others = [other for other, theirs in a.items() if mine & theirs]
        if others:
            shares.append(
                statistics.fmean(
                    min(len(mine & a[other]), len(b[item] & b[other])) / len(mine & a[other]) for other in others
                )
            )
    return statistics.fmean(shares) if shares else 0.0

"""Describe what must be true after a run: the model with which the service's output is compared."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Told:
    """What one receiver was told, by message identity; a message that came twice with one identity counts once."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    contents: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def take(self, message: dict[str, Any]) -> None:
        """Note one message as it came."""
        self.messages.setdefault(message["id"], message)
        self.contents[message["id"]].add(repr(sorted(self.events_of(message))))

    def items(self) -> list[dict[str, Any]]:
        """Everything that was told, single messages and parts of batches."""
        return [item for message in self.messages.values() for item in parts(message)]

    def firsts(self) -> Counter[frozenset[str]]:
        """How many first messages each contact got."""
        return Counter(leaders(item) for item in self.items() if item["tell"] == "first")

    @staticmethod
    def events_of(message: dict[str, Any]) -> list[tuple[str, int]]:
        """The events and revisions that a message speaks of."""
        return [(item["event"]["event_id"], item["event"]["revision"]) for item in parts(message)]


def parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The single news of a message."""
    found: list[dict[str, Any]] = message["data"].get("items", [message["data"]])
    return found


def leaders(item: dict[str, Any]) -> frozenset[str]:
    """Who is in contact."""
    return frozenset(participant["leader"] for participant in item["event"]["participants"])


@dataclass
class Expected:
    """What was published: contacts with the state that was reported last, and records that nobody can handle."""

    contacts: dict[frozenset[str], str] = field(default_factory=dict)
    #: Places of poisoned records on the topics of the stages.
    poisoned: list[str] = field(default_factory=list)


def violations(
    expected: Expected, told: Mapping[str, Told], letters: Iterable[str], exits: Iterable[tuple[str, int]]
) -> list[str]:
    """Say what is not as it must be; empty after a clean run.

    `told` is by receiver, `letters` are the ids of dead letters, `exits` the roles and codes of processes that ended by
    themselves.
    """
    found = []
    for receiver, heard in told.items():
        firsts = heard.firsts()
        for contact, status in expected.contacts.items():
            name = " and ".join(sorted(contact))
            if firsts[contact] != 1:
                found.append(f"{receiver}: {firsts[contact]} first messages of {name}")
            news = [item["event"] for item in heard.items() if leaders(item) == contact]
            last = max(news, key=lambda event: event["revision"], default=None)
            if last is not None and last["status"] != status:
                found.append(f"{receiver}: the last state of {name} is {last['status']} and not {status}")
        found += [
            f"{receiver}: told of {' and '.join(sorted(contact))}, which nobody published"
            for contact in firsts
            if contact not in expected.contacts
        ]
        found += [
            f"{receiver}: the message {identity} came with {len(contents)} contents"
            for identity, contents in heard.contents.items()
            if len(contents) > 1
        ]
    there = Counter(letters)
    found += [f"the poisoned record {place} is no dead letter" for place in expected.poisoned if not there[place]]
    found += [f"a {role} ended with code {code}" for role, code in exits if code not in {75, -9}]
    return found

"""What a configuration would have told over a past time: the same decisions as in service, but nothing is sent.

Every message is taken to arrive at once. Time is that of the archive.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.clock import Clock
from monitor.config import Config
from monitor.notify.delivery import steps
from monitor.notify.delivery.judge import Judge
from monitor.notify.delivery.setup import Setup
from monitor.notify.logbook import Delivery, MemoryLog, Pending, Tell
from monitor.notify.messages.compose import Message, compose, gathered
from monitor.notify.messages.wording import Wording, words_of
from monitor.notify.policy.decision import Policy
from monitor.notify.receivers import takes_quiet_updates
from monitor.notify.receivers.fake import FakeReceiver
from monitor.records import Event

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class RehearsalOutcome:
    """One message that would have been sent (`tell` says how), or one event that was held back (`tell` None) and why.

    A message about several events has the ids of all of them, and `batch` says what gathered them.
    """

    at: datetime
    receiver: str
    route: str
    tell: Tell | None
    reason: str
    event_ids: tuple[str, ...]
    title: str
    batch: str = ""

    @property
    def rings(self) -> bool:
        """Say whether it would have interrupted somebody."""
        return self.tell in {"first", "loud", "retract", "reminder"}


class _Nobody:
    """Takes no dead letter: nothing fails in a rehearsal."""

    async def give_up(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        """Do nothing."""


class Rehearsal:
    """Takes each revision of each event in the order of time, and says what each receiver would have been told."""

    def __init__(self, config: Config) -> None:
        self._now = _BEGINNING
        clock: Clock = lambda: self._now  # noqa: E731  # the archive's time
        self._policy, self._words = Policy.of(config), words_of(config)
        self._receivers = {
            name: FakeReceiver(edits=takes_quiet_updates(receiver)) for name, receiver in config.receivers.items()
        }
        self._judge = Judge(
            Setup(
                policy=self._policy,
                receivers=self._receivers,
                log=MemoryLog(),
                words=self._words,
                retries=config.alerts.retries,
                dead_letters=_Nobody(),
                storm=config.alerts.storm,
                clock=clock,
            )
        )
        self._deliveries: dict[str, Delivery] = {}

    def take(self, event: Event, now: datetime) -> Iterator[RehearsalOutcome]:
        """Yield what is told up to `now`, then what each receiver is told of a revision that comes then."""
        yield from self.advance(now)
        for name in self._receivers:
            key = f"{name}|{event.event_id}"
            delivery = self._deliveries.get(key) or Delivery(receiver=name, event_id=event.event_id)
            if event.revision <= delivery.revision:
                continue
            decision = self._judge.decide(delivery, event)
            if decision.tell is None and decision.reason != "unchanged":
                title = self._line(name, delivery, event)
                yield RehearsalOutcome(now, name, decision.route, None, decision.reason, (event.event_id,), title)
            if decision.tell is not None or delivery.pending:
                delivery = steps.planned(delivery, event, decision, now)
            delivery = steps.closed(delivery, event)
            if delivery.told is not None or delivery.pending is not None:
                self._deliveries[key] = delivery
            else:
                self._deliveries.pop(key, None)
        yield from self.advance(now)

    def advance(self, now: datetime) -> Iterator[RehearsalOutcome]:
        """Yield the messages that are due up to `now`, in the order of their times."""
        due = [each for each in self._deliveries.values() if each.pending and each.pending.due <= now]
        due.sort(key=lambda each: (each.pending.due if each.pending else now, each.key))
        done: set[str] = set()
        for delivery in due:
            if delivery.key not in done and delivery.pending:
                batch = [other for other in due if _together(delivery, other)] or [delivery]
                done.update(other.key for other in batch)
                yield self._told(batch, delivery.pending.due)
        self._now = max(self._now, now)

    def _told(self, members: list[Delivery], at: datetime) -> RehearsalOutcome:
        """Take the messages as arrived; several of one batch are one message."""
        self._now = max(self._now, at)
        messages: list[Message] = []
        for delivery in members:
            if delivery.pending is None:
                continue
            messages.append(compose(self._words_of(delivery), self._policy, delivery, delivery.pending))
            self._deliveries[delivery.key] = steps.succeeded(delivery, delivery.pending, {}, at, None)
        whole, batch = messages[0], members[0].pending.batch if members[0].pending else ""
        if len(messages) > 1:
            whole = gathered(whole.words, messages, whole.id, batch)
        ids = tuple(delivery.event_id for delivery in members)
        return RehearsalOutcome(at, whole.receiver, whole.route, whole.tell, whole.reason, ids, whole.title, batch)

    def _words_of(self, delivery: Delivery) -> Wording:
        return self._words[delivery.receiver]

    def _line(self, name: str, delivery: Delivery, event: Event) -> str:
        waiting = Pending(event=event, tell="first", reason="", since=self._now, due=self._now)
        return compose(self._words[name], self._policy, delivery, waiting).headline


def _together(one: Delivery, other: Delivery) -> bool:
    """Say whether two messages go out as one."""
    if one.pending is None or other.pending is None or not one.pending.batch:
        return False
    return one.receiver == other.receiver and one.pending.batch == other.pending.batch


def counts(outcomes: list[RehearsalOutcome]) -> Mapping[str, Mapping[str, int]]:
    """Count the outcomes of one receiver: messages by how they tell, events that were held back by reason."""
    told: dict[str, int] = {}
    held: dict[str, int] = {}
    for outcome in outcomes:
        into, name = (held, outcome.reason) if outcome.tell is None else (told, outcome.tell)
        into[name] = into.get(name, 0) + 1
    return {"told": told, "held_back": held}

"""Find out which alerts a configuration would have sent for past events, without sending any (`summitry backtest`).

The decisions are the same as in the running service. Time is that of the archive, and every message counts as delivered
at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.clock import Clock
from monitor.config import Config
from monitor.notify.delivery import steps
from monitor.notify.delivery.decider import Decider
from monitor.notify.delivery.setup import NotifierSetup
from monitor.notify.logbook import Delivery, MemoryLog, Pending, Tell
from monitor.notify.messages.compose import Message, compose, gathered
from monitor.notify.messages.wording import Wording, words_of
from monitor.notify.policy.decision import Policy
from monitor.notify.receivers import takes_quiet_updates
from monitor.notify.receivers.fake import FakeReceiver
from monitor.records import Event

_BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class BacktestOutcome:
    """One message that would have been sent (`tell` says how), or one event that was held back (`tell` is None).

    `reason` says why. A message about several events has the ids of all of them, and `batch` names the digest, quiet
    hours or storm that collected them.
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
        """Whether the message would have notified somebody, not only edited an earlier message."""
        return self.tell in {"first", "loud", "retract", "reminder"}


class _NoDeadLetters:
    """Takes no dead letters: nothing fails in a backtest."""

    async def give_up(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        """Do nothing."""


class Backtest:
    """Takes the revisions of events in the order of time, and yields the messages that each receiver would have got."""

    def __init__(self, config: Config) -> None:
        self._now = _BEGINNING
        clock: Clock = lambda: self._now  # noqa: E731  # the archive's time
        self._policy, self._words = Policy.of(config), words_of(config)
        self._receivers = {
            name: FakeReceiver(edits=takes_quiet_updates(receiver)) for name, receiver in config.receivers.items()
        }
        self._decider = Decider(
            NotifierSetup(
                policy=self._policy,
                receivers=self._receivers,
                log=MemoryLog(),
                words=self._words,
                retries=config.alerts.retries,
                dead_letters=_NoDeadLetters(),
                storm=config.alerts.storm,
                clock=clock,
            )
        )
        self._deliveries: dict[str, Delivery] = {}

    def take(self, event: Event, now: datetime) -> Iterator[BacktestOutcome]:
        """Yield the messages that are due up to `now`, then those about the revision `event`, which arrives `now`."""
        yield from self.advance(now)
        for name in self._receivers:
            key = f"{name}|{event.event_id}"
            delivery = self._deliveries.get(key) or Delivery(receiver=name, event_id=event.event_id)
            if event.revision <= delivery.revision:
                continue
            decision = self._decider.decide(delivery, event)
            if decision.tell is None and decision.reason != "unchanged":
                title = self._line(name, delivery, event)
                yield BacktestOutcome(now, name, decision.route, None, decision.reason, (event.event_id,), title)
            if decision.tell is not None or delivery.pending:
                delivery = steps.planned(delivery, event, decision, now)
            delivery = steps.closed(delivery, event)
            if delivery.told is not None or delivery.pending is not None:
                self._deliveries[key] = delivery
            else:
                self._deliveries.pop(key, None)
        yield from self.advance(now)

    def advance(self, now: datetime) -> Iterator[BacktestOutcome]:
        """Yield the messages that are due up to `now`, in the order of their times."""
        due = [each for each in self._deliveries.values() if each.pending and each.pending.due <= now]
        due.sort(key=lambda each: (each.pending.due if each.pending else now, each.key))
        done: set[str] = set()
        for delivery in due:
            if delivery.key not in done and delivery.pending:
                batch = [other for other in due if _together(delivery, other)] or [delivery]
                done.update(other.key for other in batch)
                yield self._delivered(batch, delivery.pending.due)
        self._now = max(self._now, now)

    def _delivered(self, members: list[Delivery], at: datetime) -> BacktestOutcome:
        """Mark the messages as delivered, and return the outcome; several of one batch are one message."""
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
        return BacktestOutcome(at, whole.receiver, whole.route, whole.tell, whole.reason, ids, whole.title, batch)

    def _words_of(self, delivery: Delivery) -> Wording:
        return self._words[delivery.receiver]

    def _line(self, name: str, delivery: Delivery, event: Event) -> str:
        waiting = Pending(event=event, tell="first", reason="", since=self._now, due=self._now)
        return compose(self._words[name], self._policy, delivery, waiting).headline


def _together(one: Delivery, other: Delivery) -> bool:
    """Tell whether two messages belong to the same batch of the same receiver."""
    if one.pending is None or other.pending is None or not one.pending.batch:
        return False
    return one.receiver == other.receiver and one.pending.batch == other.pending.batch


def counts(outcomes: Sequence[BacktestOutcome]) -> Mapping[str, Mapping[str, int]]:
    """Count the outcomes of one receiver: messages by kind, and events without a message by their last reason.

    An event that was held back at several revisions counts once, and not at all if a message was sent in the end.
    """
    rung = {event_id for outcome in outcomes if outcome.tell is not None for event_id in outcome.event_ids}
    held = {event_id: outcome.reason for outcome in outcomes for event_id in outcome.event_ids if event_id not in rung}
    told: Counter[str] = Counter(outcome.tell for outcome in outcomes if outcome.tell is not None)
    return {"told": dict(told), "held_back": dict(Counter(held.values()))}

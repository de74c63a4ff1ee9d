"""Apply the pure policy to an event, with the state that the policy needs: added silences, and storms."""

from __future__ import annotations

from dataclasses import replace

import structlog

from monitor import metrics
from monitor.notify.delivery.setup import NotifierSetup
from monitor.notify.logbook import Delivery
from monitor.notify.policy.decision import EXPLAINED, Decision, decide
from monitor.notify.policy.silences import Silence
from monitor.notify.policy.storms import StormGate
from monitor.records import Event

logger = structlog.get_logger()


class Decider:
    """Decides which messages a receiver gets. `silences` are those added to the running service, by their id."""

    def __init__(self, setup: NotifierSetup) -> None:
        self.silences: dict[str, Silence] = {}
        self._setup = setup
        self._storms = {name: StormGate(setup.storm) for name in setup.receivers}

    def decide(self, delivery: Delivery, event: Event) -> Decision:
        """Decide which message one receiver gets about an event. When none, the reason is counted and logged."""
        now, name = self._setup.clock(), delivery.receiver
        decision = decide(
            self._setup.policy,
            name,
            event,
            delivery.told,
            now,
            told_route=delivery.route,
            silences=self.silences.values(),
            edits=self._setup.receivers[name].traits.edits,
        )
        if decision.tell is None:
            return self.not_told(delivery, event, decision)
        if decision.tell != "first" or delivery.pending:
            return decision
        if decision.due is not None:
            return decision if decision.batch else replace(decision, batch=f"quiet:{decision.due.isoformat()}")
        freed = self._storms[name].admit(now)
        if freed is None:
            return decision
        return replace(decision, due=freed, batch=f"storm:{freed.isoformat()}")

    @staticmethod
    def not_told(delivery: Delivery, event: Event, decision: Decision) -> Decision:
        """Count and log the reason of a decision to send nothing, and return the decision."""
        reason = decision.reason
        metrics.notifications_suppressed.labels(reason).inc()
        say = logger.debug if reason in {"unchanged", "no_edits"} else logger.info
        why = EXPLAINED[reason]
        say("suppressed", receiver=delivery.receiver, event_id=event.event_id, reason=reason, why=why)
        return decision

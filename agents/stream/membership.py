"""Is this process still a member of its consumer group? What the group coordinator said last, and how long ago.

Kafka gives the partitions of a member to others once it has heard nothing of it for the session's timeout. A member
that was suspended or cut off hears of that only afterwards, so it must not do in between what its successor may have
done. It holds the partitions for certain only for a while after a heartbeat that was answered, counted from before the
heartbeat was sent, on a clock that runs on while the machine sleeps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.stream.app import SESSION_TIMEOUT
from monitor.clock import boot_time

#: Seconds after an answered heartbeat for which partitions are ours. What is sent at the end of them has the rest of
#: the session to arrive.
HOLDS_FOR = SESSION_TIMEOUT * 0.7


class Membership:
    """Knows until when the partitions of this process are its own for certain."""

    def __init__(self, holds_for: float = HOLDS_FOR, now: Callable[[], float] = boot_time) -> None:
        self._holds_for, self._now = holds_for, now
        self._renewed: float | None = None

    def renew(self) -> None:
        """Note that the group has just taken this process in."""
        self._renewed = self._now()

    def holds(self) -> bool:
        """Say whether this process is a member for certain."""
        return self._renewed is not None and self._now() - self._renewed < self._holds_for

    def follow(self, coordinator: Any) -> None:  # noqa: ANN401  # aiokafka has no types
        """Note every heartbeat that the coordinator answers from now on. Calling it again changes nothing."""
        if getattr(coordinator, "_summitry_membership", None) is self:
            return
        heartbeat = coordinator._do_heartbeat  # noqa: SLF001  # aiokafka has no hook for it

        async def noted() -> bool:
            before = self._now()
            alive: bool = await heartbeat()
            if alive:
                self._renewed = before
            return alive

        coordinator._do_heartbeat = noted  # noqa: SLF001
        coordinator._summitry_membership = self  # noqa: SLF001

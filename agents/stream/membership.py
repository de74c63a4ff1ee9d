"""Know whether this process is certainly still a member of its consumer group, by the time of its last heartbeat.

Kafka assigns the partitions of a member to others when it gets no heartbeat for the session timeout. A member that was
suspended or cut off from the broker learns that only afterwards, and until then must not send what its successor may
have sent already. So it counts as the owner of its partitions only for a part of the session timeout after a heartbeat
that was answered. The time is counted from before the heartbeat was sent, on a clock that includes suspension.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents.stream.app import SESSION_TIMEOUT
from monitor.clock import boot_time

#: Seconds after an answered heartbeat during which partitions certainly are ours. A message sent at their end has the
#: rest of the session timeout to arrive.
HOLDS_FOR = SESSION_TIMEOUT * 0.7


class Membership:
    """Knows until when this process certainly owns its partitions. `now` returns seconds, including suspension."""

    def __init__(self, holds_for: float = HOLDS_FOR, now: Callable[[], float] = boot_time) -> None:
        self._holds_for, self._now = holds_for, now
        self._renewed: float | None = None

    def renew(self) -> None:
        """Note that this process has just joined the group."""
        self._renewed = self._now()

    def holds(self) -> bool:
        """Tell whether this process certainly is a member."""
        return self._renewed is not None and self._now() - self._renewed < self._holds_for

    def follow(self, coordinator: Any) -> None:  # noqa: ANN401  # aiokafka has no types
        """Note every heartbeat of the coordinator that is answered from now on. Calling it again has no effect."""
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

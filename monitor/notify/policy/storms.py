"""Limit first messages: after too many in a short time, the others are held back and sent as one message."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from monitor.config import Storm


class StormGate:
    """Counts the first messages to one receiver. Times are arguments."""

    def __init__(self, storm: Storm | None) -> None:
        self._storm = storm
        self._sent: deque[datetime] = deque()

    def admit(self, now: datetime) -> datetime | None:
        """Return None when another first message may be sent now, else the time at which those held back are sent."""
        if self._storm is None:
            return None
        while self._sent and now - self._sent[0] >= self._storm.per:
            self._sent.popleft()
        if len(self._sent) < self._storm.limit:
            self._sent.append(now)
            return None
        return self._sent[0] + self._storm.per

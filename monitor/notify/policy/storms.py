"""Too many first messages at once: when the rest is held back to go out as one. Times come as arguments."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from monitor.config import Storm


class StormGate:
    """Counts the first messages to one receiver."""

    def __init__(self, storm: Storm | None) -> None:
        self._storm = storm
        self._sent: deque[datetime] = deque()

    def admit(self, now: datetime) -> datetime | None:
        """Return None when one more first message may go now, else when those that are held back may go as one."""
        if self._storm is None:
            return None
        while self._sent and now - self._sent[0] >= self._storm.per:
            self._sent.popleft()
        if len(self._sent) < self._storm.limit:
            self._sent.append(now)
            return None
        return self._sent[0] + self._storm.per

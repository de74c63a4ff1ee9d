"""The alert that there are no alerts: no article came for a while, so silence does not mean that nothing happened."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal


@dataclass(frozen=True)
class Pulse:
    """How far the articles' topic had grown when it last grew, and whether its silence was told."""

    end: int
    grew_at: datetime
    told: bool = False


def beat(pulse: Pulse, end: int, after: timedelta, now: datetime) -> tuple[Pulse, Literal["silent", "back"] | None]:
    """Return what to tell when the topic ends at `end` now: that it has been silent for `after`, or that it is back."""
    if end > pulse.end:
        return Pulse(end, now), ("back" if pulse.told else None)
    if not pulse.told and now - pulse.grew_at >= after:
        return replace(pulse, told=True), "silent"
    return pulse, None

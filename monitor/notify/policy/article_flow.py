"""Detect that no articles arrive any more, so that a missing alert is not taken for a quiet day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

#: `silent`: no articles arrive any more. `back`: they arrive again.
FlowNotice: TypeAlias = Literal["silent", "back"]


@dataclass(frozen=True)
class ArticleFlow:
    """The end offset of the topic of articles, when it last grew, and whether its silence was reported."""

    end: int
    grew_at: datetime
    told: bool = False


def observed(flow: ArticleFlow, end: int, after: timedelta, now: datetime) -> tuple[ArticleFlow, FlowNotice | None]:
    """Return the new flow, and the notice to send: `silent` when the topic has not grown for `after`, or `back`.

    `end` is the present end offset of the topic.
    """
    if end > flow.end:
        return ArticleFlow(end, now), ("back" if flow.told else None)
    if not flow.told and now - flow.grew_at >= after:
        return replace(flow, told=True), "silent"
    return flow, None

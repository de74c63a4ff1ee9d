"""Feedback: what readers say of an event that was told: that it is wrong, or that an article belongs to another one.

Each record is one reader's last word on one event (or on one article of it), in the topic of feedback. Nothing in the
service acts on it: it is kept for people, and for making the labelled sets better.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias, get_args

from monitor.records import Record

#: `wrong`: no such contact took place or was planned. `not_this_event`: an article is of another contact.
Verdict: TypeAlias = Literal["wrong", "not_this_event", "right"]
VERDICTS: tuple[str, ...] = get_args(Verdict)


class Feedback(Record, frozen=True, kw_only=True):
    """What `by` said of an event at revision `revision`; `article_id` names the article where one is meant."""

    event_id: str
    verdict: Verdict
    by: str
    at: datetime
    revision: int = 0
    article_id: str = ""
    comment: str = ""

    @property
    def key(self) -> str:
        """The record's key in the topic: one word a reader and event, or a reader and article."""
        return f"{self.event_id}|{self.article_id}|{self.by}"

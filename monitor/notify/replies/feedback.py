"""Feedback: what readers say of an event that was told: that it is wrong, or that an article belongs to another one.

Each record is one reader's last word on one event (or on one article of it), in the topic of feedback. The event
is silenced beside it; the record itself is for people, and for making labelled sets better: `summitry feedback export`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from monitor.records import Event, Moment, Record

#: `wrong`: no such contact took place or was planned. `not_this_event`: an article is of another contact.
Verdict: TypeAlias = Literal["wrong", "not_this_event", "right"]
VERDICTS: tuple[str, ...] = get_args(Verdict)


class Feedback(Record, frozen=True, kw_only=True):
    """What `by` said of an event at revision `revision`; `article_id` names the article where one is meant."""

    event_id: str
    verdict: Verdict
    by: str
    at: Moment
    revision: int = 0
    article_id: str = ""
    comment: str = ""

    @property
    def key(self) -> str:
        """Return the record's key in the topic: one word a reader and event, or a reader and article."""
        return f"{self.event_id}|{self.article_id}|{self.by}"


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One labelled item: an article and the contacts that it speaks of, or two titles of different events.

    The short names are those of the labelled sets: `p` participants, `m` medium, `s` status, `d` day, `k` kind.
    """

    id: str = ""
    ds: str = ""
    lang: str = ""
    date: str = ""
    title: str = ""
    lede: str | None = None
    contacts: tuple[dict[str, Any], ...] | None = None
    a: str = ""
    b: str = ""
    same_event: int | None = None
    tags: tuple[str, ...] = ()


def labels(said: Feedback, event: Event) -> Iterator[Label]:
    """Yield what a reader's word on an event teaches.

    `wrong`: no article of it speaks of a contact. `right`: all of them speak of this one. `not_this_event`: the article
    that is meant, beside each other article, is of another event; without one nothing can be learnt.
    """
    if said.verdict == "not_this_event":
        meant = [source for source in event.sources if source.article_id == said.article_id and source.title]
        for one in meant:
            for other in event.sources:
                if other.title and other.report != one.report:
                    yield Label(a=one.title, b=other.title, same_event=0, tags=("feedback",))
        return
    contact = {
        "p": sorted(participant.leader for participant in event.participants),
        "m": event.medium,
        "s": event.status,
        "d": event.when.start.isoformat() if event.when and event.when.granularity == "day" else None,
        "k": event.kind,
    }
    for source in event.sources:
        if source.title:
            yield Label(
                id=source.article_id, ds=source.outlet, lang=source.language,
                date=source.published.isoformat() if source.published else "", title=source.title, lede="",
                contacts=(contact,) if said.verdict == "right" else (), tags=("feedback",),
            )  # fmt: skip

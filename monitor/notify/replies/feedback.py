"""Feedback of readers on an event that they were alerted to: it is wrong, or an article belongs to another event.

Each record in the topic of feedback is one reader's latest opinion on one event, or on one of its articles. The event
is also silenced. The records are for people, and to improve the labelled sets (`summitry feedback export`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from monitor.records import Event, Moment, Record

#: `wrong`: no such contact took place or was planned. `not_this_event`: an article is about another contact.
Verdict: TypeAlias = Literal["wrong", "not_this_event", "right"]
VERDICTS: tuple[str, ...] = get_args(Verdict)


class Feedback(Record, frozen=True, kw_only=True):
    """The opinion of `by` on an event at a revision. `article_id` is set when it is about one article only."""

    event_id: str
    verdict: Verdict
    by: str
    at: Moment
    revision: int = 0
    article_id: str = ""
    comment: str = ""

    @property
    def key(self) -> str:
        """The record's key in the topic: one record for each reader and event, or reader and article."""
        return f"{self.event_id}|{self.article_id}|{self.by}"


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item of a labelled set: an article with the contacts that it reports, or two titles of different events.

    The keys of a contact are those of the labelled sets: `p` participants, `m` medium, `s` status, `d` day, `k` kind.
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
    """Yield the labelled items that follow from a reader's feedback.

    `wrong`: no article of the event reports a contact. `right`: the articles that claim its status report this contact.
    `not_this_event`: the named article is about another event than each other article; without a named article there
    are no items.
    """
    if said.verdict == "not_this_event":
        meant = [source for source in event.sources if source.article_id == said.article_id and source.title]
        for one in meant:
            for other in event.sources:
                if other.title and other.report != one.report:
                    yield Label(a=one.title, b=other.title, same_event=0, tags=("feedback",))
        return
    for source in event.sources:
        contact = _contact(event, source.n) if said.verdict == "right" else None
        if source.title and (contact is not None or said.verdict == "wrong"):
            yield Label(
                id=source.article_id, ds=source.outlet, lang=source.language,
                date=source.published.isoformat().replace("+00:00", "Z") if source.published else "",
                title=source.title, lede="", contacts=(contact,) if contact else (), tags=("feedback",),
            )  # fmt: skip


def _contact(event: Event, source: int) -> dict[str, Any] | None:
    """Return what one source claims of the contact; facts that it does not claim are unknown.

    Returns None when the source does not claim the event's status, because nobody has checked what it says instead.
    """
    claims = {name: source in fact.sources for name, fact in event.facts.items()}
    if not claims.get("status") or event.status == "retracted":
        return None
    day = event.when.start.isoformat() if event.when and event.when.granularity == "day" else None
    return {
        "p": sorted(participant.leader for participant in event.participants),
        "m": event.medium if claims.get("medium") else "unknown",
        "s": "planned" if event.status == "unconfirmed" else event.status,
        "d": day if claims.get("when") else None,
        "k": event.kind,
    }

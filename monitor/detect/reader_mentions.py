"""Mentions that only the reader found, with time, place and forum from the sentence that reports the contact."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

from monitor.detect.merge import ArticleSetting, participant
from monitor.detect.reader.passage import Word
from monitor.detect.rules.surroundings import RECENT, Surroundings
from monitor.detect.setting.where import best_place
from monitor.detect.text.normal import NormalText
from monitor.records import Evidence, Field, Kind, Medium, Mention, Status, When

#: The `rule` of a mention that only the reader found.
READER = "reader"
_HAPPENED = frozenset({"held", "ongoing", "past"})
_REMOTE = frozenset({"phone", "video", "remote"})


class FieldText(Protocol):
    """One field of an article, with its normalised text."""

    @property
    def field(self) -> Field:
        """The field's name."""
        ...

    @property
    def normal(self) -> NormalText:
        """The field's text."""
        ...


def reader_mention(
    leaders: frozenset[str],
    answer: tuple[Kind, Medium, Status],
    around: Sequence[Surroundings],
    evidence: tuple[Evidence, ...],
    setting: ArticleSetting,
) -> Mention:
    """Return the mention of these leaders; `answer` is the reader's kind, medium and status.

    `around` are the sentences that may report the contact, the most likely one first.
    """
    kind, medium, status = answer
    day = next((one.published.date() for one in around if one.published is not None), None)
    when = next((found for one in around if (found := _when(one, status, day)) is not None), None)
    if status in ("held", "ongoing") and when is not None and day is not None and when.end < day - RECENT:
        status = "past"
    places = [tuple(hit for hit in one.places if medium not in _REMOTE or hit.frame == "speaking") for one in around]
    forum = next((one.forums[0].forum for one in around if one.forums), None)
    return Mention(
        article_id=setting.article.id,
        participants=tuple(participant(one, setting) for one in sorted(leaders)),
        kind=kind,
        medium=medium,
        status=status,
        when=when,
        place=next((place for some in places if (place := best_place(some)) is not None), None),
        forum=forum if kind != "call" else None,
        topics=setting.topics,
        evidence=evidence,
        rule=READER,
        language=setting.language,
        source=setting.source,
    )


def evidence_of(words: Sequence[Word], parts: Sequence[FieldText], setting: ArticleSetting) -> tuple[Evidence, ...]:
    """Return the words as a span in the article's original text."""
    if not words:
        return ()
    part = next(one for one in parts if one.field == words[0].field)
    start, end = part.normal.span(words[0].start, words[-1].end)
    whole: str = getattr(setting.article, part.field)
    return (Evidence(field=part.field, start=start, end=end, text=whole[start:end]),)


def _when(around: Surroundings, status: Status, day: date | None) -> When | None:
    """The first time in the sentence that fits the status. Only spans: `dating` chooses single days."""
    for hit in around.times:
        if hit.when.granularity == "day":
            continue
        if status in ("planned", "proposed", "rescheduled") and hit.direction == "past":
            continue
        when = hit.read("past" if status in _HAPPENED else "future")
        if day is not None and (when.start > day if status in _HAPPENED else when.end < day):
            continue
        return when
    return None

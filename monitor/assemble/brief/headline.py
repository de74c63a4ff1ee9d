"""The headline of an event: one line, short enough for a locked phone.

"Macron to visit Germany for talks with Merz, Thu 3 Dec, Berlin · 2 sources".
"""

from __future__ import annotations

from datetime import UTC, tzinfo

from monitor.assemble.brief.deeds import Action, action_of, fill
from monitor.assemble.brief.phrases import BriefPhrases, phrases
from monitor.records import Event, in_zone

#: Characters of a line that a locked phone shows.
LIMIT = 110
#: Leaders to name on each side; the next number is tried if the line is too long.
_NAMED = (4, 3, 2, 1)
_REMOTE = frozenset({"phone", "video", "remote"})
#: Times that need no comma before them ("to meet by Tue 31 Mar"), unless the contact's noun is the subject.
_BOUNDS = frozenset({"until", "from", "around"})
_AHEAD = frozenset({"planned", "rescheduled", "proposed"})


def headline(event: Event, zone: tzinfo = UTC, limit: int = LIMIT, language: str = "en") -> str:
    """Return one line of at most `limit` characters: who, what, when, where, and the number of independent sources.

    `zone` is the reader's, for the current year, which is not written. If the line is too long, these are dropped in
    this order: the number of sources, the place, the time, and leaders beyond the first.
    """
    words = phrases(language)
    action = action_of(event)
    moment = event.last_seen or event.first_seen
    now = in_zone(moment, zone).date() if moment is not None else None
    time = words.when(event.when, short=True, now=now) if event.when is not None else ""
    place = words.town(event.place.name) if event.place is not None and event.medium not in _REMOTE else ""
    if not place and event.place is not None and event.medium not in _REMOTE and not action.country:
        place = words.state(event.place.country)
    bound = event.when is not None and event.when.granularity in _BOUNDS and event.status in _AHEAD
    joint = " " if bound and words.stop == "." else words.comma
    count = words.sources.of(event.reports).format(n=event.reports) if event.reports else ""
    for named in _NAMED:
        clause = _clause(event, action, words, named)
        for parts, shown in (((time, place), count), ((time, place), ""), ((time,), ""), ((), "")):
            timed = joint.join(part for part in (clause, *parts[:1]) if part)
            line = words.comma.join(part for part in (timed, *parts[1:]) if part)
            line = f"{line} · {shown}" if shown else line
            if len(line) <= limit and (parts or named == _NAMED[-1]):
                return line
    return _cut(clause, limit)


def _clause(event: Event, action: Action, words: BriefPhrases, named: int) -> str:
    deed = words.deeds[action.deed]
    sides = action.who if deed.alone else event.participants
    few = len(sides) <= named
    joint = words.between.join(map(words.surname, sides)) if few else words.surnames(sides, named)
    return fill(
        words.headline[event.status], event, action, words,
        who=words.surnames(action.who, named),
        other=words.surnames(action.other, named, "with"),
        whose=words.whose.of(len(sides)).format(names=joint),
    )  # fmt: skip


def _cut(text: str, limit: int) -> str:
    """The text, cut after a word if it is too long."""
    if len(text) <= limit:
        return text
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(",;: ") + "…"

"""The explanation of one article, and the text that `summitry detect --explain` prints for it.

    article ID (LANGUAGE): OUTCOME
      seen      "WORDS" -> LEADER, or why it means no leader
      rules     LEADERS: STATUS, because of which words (the frame)
      weighed   LEADERS: STATUS, and what rules and reader say about it, each with its probability
      mention   KIND MEDIUM STATUS of LEADERS, DATES, PLACE, FORUM; confidence, what it may do; "EVIDENCE"
      why not   "WORDS": REASON

Parts without content are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from monitor.detect.reader_mentions import READER
from monitor.records import Mention


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why an article has its mentions: what was seen, and why other candidates were rejected.

    `decisions` say what the rules found at each trigger; `weighed` say how rules and reader were combined for each
    pair.
    """

    article_id: str
    language: str
    outcome: str
    leaders: tuple[str, ...] = ()
    persons: tuple[tuple[str, str], ...] = ()
    triggers: tuple[str, ...] = ()
    mentions: tuple[Mention, ...] = ()
    decisions: tuple[str, ...] = ()
    weighed: tuple[str, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()


def explanation_text(explanation: Explanation) -> str:
    """Return the explanation in the form above, without a final line break."""
    return "\n".join(_lines(explanation))


def _lines(explanation: Explanation) -> Iterator[str]:
    language = f" ({explanation.language})" if explanation.language else ""
    yield f"article {_shown(explanation.article_id)}{language}: {explanation.outcome}"
    for words, meaning in explanation.persons:
        yield f'  seen      "{_shown(words)}" -> {meaning}'
    for decision in explanation.decisions:
        yield f"  rules     {_shown(decision)}"
    for verdict in explanation.weighed:
        yield f"  weighed   {_shown(verdict)}"
    for mention in explanation.mentions:
        yield f"  mention   {_mention(mention)}"
    for trigger, reason in explanation.rejected:
        yield f'  why not   "{_shown(trigger)}": {_shown(reason)}'


def _mention(mention: Mention) -> str:
    names = " + ".join(
        f"{one.leader} ({', '.join(part for part in (one.office, one.country, one.role) if part)})"
        for one in mention.participants
    )
    parts = [f"{mention.kind} {mention.medium} {mention.status} of {names}"]
    if mention.when is not None:
        start, end = mention.when.start.isoformat(), mention.when.end.isoformat()
        parts.append(start if start == end else f"{start} to {end}")
    if mention.place is not None:
        parts.append(", ".join(part for part in (mention.place.name, mention.place.country) if part))
    if mention.forum:
        parts.append(mention.forum)
    quotes = " ... ".join(f'{one.field}[{one.start}:{one.end}] "{_shown(one.text)}"' for one in mention.evidence)
    may = "joins an event only" if mention.joins_only or mention.status == "past" else "enough to open an event"
    by = " (found by the reader alone)" if mention.rule == READER else ""
    return f"{'; '.join(parts)}; confidence {mention.confidence:.2f}, {may}; {quotes}{by}"


def _shown(text: str) -> str:
    """One line without control characters, so that hostile text can't move a terminal's cursor."""
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() else " " for letter in plain)

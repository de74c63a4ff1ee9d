"""An explanation as text for people: what `summitry detect --explain` prints for each article.

    article ID (LANGUAGE): OUTCOME
      seen      "WORDS" -> LEADER, or why nobody
      contact   FRAME: LEADERS, STATUS ("CUE")                    what the rules found
      contact   LEADERS: rules STATUS, reader STATUS, together STATUS, each with its probability
      mention   KIND MEDIUM STATUS of LEADERS, DATES, PLACE, FORUM; confidence N; "EVIDENCE"
      why not   "TRIGGER": REASON

Each part is there only when it has something to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from monitor.detect.detector import Explanation
from monitor.records import Mention


def explanation_text(explanation: Explanation) -> str:
    """Return the explanation in the form above, without a line's end at the end."""
    return "\n".join(_lines(explanation))


def _lines(explanation: Explanation) -> Iterator[str]:
    language = f" ({explanation.language})" if explanation.language else ""
    yield f"article {_shown(explanation.article_id)}{language}: {explanation.outcome}"
    for words, meaning in explanation.persons:
        yield f'  seen      "{_shown(words)}" -> {meaning}'
    for decision in explanation.decisions:
        yield f"  contact   {_shown(decision)}"
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
    return f"{'; '.join(parts)}; confidence {mention.confidence:.2f}; {quotes}"


def _shown(text: str) -> str:
    """One line that a terminal shows as it is: hostile text moves no cursor."""
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() else " " for letter in plain)

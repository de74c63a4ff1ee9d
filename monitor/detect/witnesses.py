"""Rules and reader as two witnesses: which mentions an article has when both are heard.

The rules bring evidence, time, place and forum; the reader says how likely each pair of leaders is in a contact, and
of which status. A mention of the rules that both carry keeps its facts; one that the reader finds alone takes its facts
from the sentence that its evidence stands in; one that the reader speaks against goes, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, cast

import msgspec

from monitor.detect.alone import READER
from monitor.detect.reader.fusion import AHEAD, BEHIND, Fusion, Vote, contact, fused, group
from monitor.detect.reader.groups import Joined, contacts_of
from monitor.detect.reader.opinion import NONE, PAST, Opinion, Pair
from monitor.records import Kind, Medium, Mention, Status, Witness

#: From this share on the reader's medium is told, and fills in for rules that know none.
_LIKELY_MEDIUM, _SURE_MEDIUM = 0.5, 0.8
#: A second mention of the same leaders with another status needs this much of the probability.
_SECOND = 0.15
_HELD = frozenset({"held", "ongoing"})
_REMOTE = frozenset({"phone", "video", "remote"})


class Heard(NamedTuple):
    """The mentions of an article, and of each candidate that is none, which and why."""

    mentions: tuple[Mention, ...]
    rejected: tuple[tuple[str, str], ...]
    decisions: tuple[str, ...]


class About(NamedTuple):
    """What both witnesses are heard about: the article's language and day, and how far each is believed."""

    language: str
    day: date
    fusion: Fusion


#: Makes the mention that the reader found alone: its leaders, its status, its kind and its medium.
Alone = Callable[[frozenset[str], Status, Kind, Medium], Mention | None]


def votes(rules: Sequence[Mention], opinions: Mapping[Pair, Opinion], day: date) -> dict[Pair, Vote]:
    """Return what the rules found for each pair; of several mentions the one that the reader finds likeliest.

    `day` is the article's, in UTC.
    """
    found = {}
    for pair, opinion in opinions.items():
        about = [one for one in rules if set(pair) <= {p.leader for p in one.participants}]
        best = max(
            about,
            key=lambda one: (one.status != PAST, opinion.statuses.get(one.status, 0.0), one.confidence),
            default=None,
        )
        found[pair] = _vote(best, day) if best is not None else Vote(NONE)
    return found


def _vote(mention: Mention, day: date) -> Vote:
    when = mention.when
    return Vote(mention.status, mention.confidence, ahead=when is not None and when.start > day)


def hear(rules: Sequence[Mention], opinions: Mapping[Pair, Opinion], about: About, alone: Alone) -> Heard:
    """Both witnesses' mentions: those of the rules in their order, then those of the reader alone."""
    weights = about.fusion.of(about.language)
    said = votes(rules, opinions, about.day)
    pairs = {pair: fused(opinion, said[pair], weights) for pair, opinion in opinions.items()}
    sets = [frozenset(p.leader for p in one.participants) for one in rules]
    joined = contacts_of(pairs, sets, about.fusion.joining)
    kept: dict[int, Mention] = {}
    added: list[Mention] = []
    rejected: list[tuple[str, str]] = []
    for one in joined:
        same = [at for at, leaders in enumerate(sets) if leaders == one.leaders]
        if same:
            kept |= _confirmed([(at, rules[at]) for at in same], one, opinions, about)
            continue
        kind, medium = _told_medium(one.leaders, opinions)
        made = alone(one.leaders, _status(one.statuses), kind, medium)
        if made is None:
            rejected.append((READER, "a leader out of office by then, or leaders of one state"))
        else:
            added.append(_signed(made, one, Vote(NONE), opinions, about))
    for at, leaders in enumerate(sets):
        if at not in kept and not leaders <= {one for pair in opinions if set(pair) <= leaders for one in pair}:
            kept[at] = rules[at]  # in words that the reader was not shown
        elif at not in kept:
            rejected.append((rules[at].rule, _against(leaders, opinions, pairs)))
    decisions = tuple(_shown(pair, opinions[pair], said[pair], pairs[pair]) for pair in opinions)
    return Heard((*(kept[at] for at in sorted(kept)), *added), tuple(rejected), decisions)


def _confirmed(
    same: Sequence[tuple[int, Mention]], one: Joined, opinions: Mapping[Pair, Opinion], about: About
) -> dict[int, Mention]:
    """The rules' mentions of a contact that stands: the likeliest with the status of both, others as they are."""
    shares = {at: _share(one.statuses, group(mention.status)) for at, mention in same}
    best = max(shares, key=lambda at: (shares[at], -at))
    status = _status(one.statuses)
    kept = {}
    for at, mention in same:
        vote = Vote(mention.status, mention.confidence)
        if at == best:
            told = mention.status if status in BEHIND and _lies_ahead(mention, about.day) else status
            found = _with_medium(_of_status(mention, told, about.day), opinions)
            kept[at] = _signed(found, one, vote, opinions, about)
        elif shares[at] >= _SECOND or group(mention.status) == group(status):
            kept[at] = _signed(mention, one, vote, opinions, about)
        elif _is_another(mention, dict(same)[best]):
            kept[at] = _signed(mention, _by_rules(one, mention), vote, opinions, about)
    return kept


def _by_rules(one: Joined, mention: Mention) -> Joined:
    """A contact of its own: that there is one, both witnesses say; of which status, the rules alone."""
    sure = contact(one.statuses) * mention.confidence
    return Joined(one.leaders, dict.fromkeys(one.statuses, 0.0) | {NONE: 1 - sure, mention.status: sure})


def _is_another(one: Mention, other: Mention) -> bool:
    """Whether two mentions of the same leaders are two contacts: a call that was held, and a meeting that lies ahead.

    The reader gives one answer for a pair; two statuses and two media, each in its own clause, are not for it to
    choose from. Talks of an unknown medium count if both stand in one field: "spoke, and agreed to meet".
    """
    held, ahead = (one, other) if one.status in _HELD else (other, one)
    if held.status not in _HELD or ahead.status not in AHEAD or ahead.medium != "in_person" or held.assumed:
        return False
    fields = ({span.field for span in mention.evidence} for mention in (held, ahead))
    return held.medium in _REMOTE or (held.medium == "unknown" and not next(fields).isdisjoint(next(fields)))


def _of_status(mention: Mention, status: Status, day: date) -> Mention:
    """The mention with this status, without a time that cannot be of it; held is as good as ongoing."""
    if group(mention.status) == group(status) and status != "rescheduled":
        return mention
    when = mention.when
    if when is not None and ((status in AHEAD and when.end < day) or (status in BEHIND and when.start > day)):
        when = None
    return msgspec.structs.replace(mention, status=status, when=when, assumed=False)


def _lies_ahead(mention: Mention, day: date) -> bool:
    """Whether the headline tells of a plan for a day that is yet to come: no probability makes that a report."""
    when, title = mention.when, mention.source.title if mention.source is not None else ""
    ahead = when is not None and when.granularity == "day" and when.start > day and bool(when.text)
    return mention.status in AHEAD and ahead and when is not None and when.text in title


def _with_medium(mention: Mention, opinions: Mapping[Pair, Opinion]) -> Mention:
    if mention.medium != "unknown":
        return mention
    leaders = frozenset(p.leader for p in mention.participants)
    kind, medium = _told_medium(leaders, opinions, _SURE_MEDIUM)
    if medium == "unknown":
        return mention
    kind = "call" if medium in _REMOTE else kind if kind != "call" else "meeting"
    return msgspec.structs.replace(mention, medium=medium, kind=kind)


def _told_medium(
    leaders: frozenset[str], opinions: Mapping[Pair, Opinion], sure: float = _LIKELY_MEDIUM
) -> tuple[Kind, Medium]:
    """Kind and medium as the reader has them for these leaders' pairs together."""
    inner = [opinion for pair, opinion in opinions.items() if set(pair) <= leaders]
    medium = _likeliest([one.media for one in inner])
    if sum(one.media[medium] for one in inner) < sure * len(inner):
        medium = "unknown"
    kind = _likeliest([one.kinds for one in inner])
    if len(leaders) > 2 and medium in ("in_person", "unknown") and kind in ("meeting", "talks"):
        kind = "summit"
    return cast("Kind", kind), cast("Medium", medium)


def _likeliest(some: Sequence[Mapping[str, float]]) -> str:
    return max(some[0], key=lambda name: sum(one[name] for one in some))


def _signed(mention: Mention, one: Joined, vote: Vote, opinions: Mapping[Pair, Opinion], about: About) -> Mention:
    """The mention with its distribution over statuses, its confidence, and what each witness said."""
    told = contact(one.statuses) if mention.status != PAST else 1 - one.statuses[NONE]
    reader = _mean_contact(one.leaders, opinions)
    changes: dict[str, Any] = {
        "statuses": {
            status: round(share, 3) for status, share in one.statuses.items() if status != NONE and share >= 0.005
        },
        "confidence": round(_share(one.statuses, group(mention.status)), 2),
        "joins_only": told < about.fusion.opening,
        "witnesses": (
            Witness(name="rules", status=vote.status, confidence=round(vote.confidence, 2)),
            Witness(name=READER, status=_reader_status(one.leaders, opinions), confidence=round(reader, 2)),
        ),
    }
    return msgspec.structs.replace(mention, **changes)


def _status(statuses: Mapping[str, float]) -> Status:
    """The likeliest status: first of the groups, then within its group."""
    live = {status: share for status, share in statuses.items() if status != NONE}
    best = max(live, key=lambda status: (_share(statuses, group(status)), live[status]))
    return cast("Status", best)


def _share(statuses: Mapping[str, float], of: str) -> float:
    return sum(share for status, share in statuses.items() if status != NONE and group(status) == of)


def _mean_contact(leaders: frozenset[str], opinions: Mapping[Pair, Opinion]) -> float:
    inner = [opinion.contact for pair, opinion in opinions.items() if set(pair) <= leaders]
    return sum(inner) / len(inner)


def _reader_status(leaders: frozenset[str], opinions: Mapping[Pair, Opinion]) -> str:
    return _likeliest([opinion.statuses for pair, opinion in opinions.items() if set(pair) <= leaders])


def _against(
    leaders: frozenset[str], opinions: Mapping[Pair, Opinion], pairs: Mapping[Pair, Mapping[str, float]]
) -> str:
    """Why a mention of the rules does not stand."""
    inner = [pair for pair in opinions if set(pair) <= leaders]
    least = min(inner, key=lambda pair: contact(pairs[pair]))
    return f"the reader finds no contact of {' + '.join(least)} ({opinions[least].statuses[NONE]:.2f} none)"


def _shown(pair: Pair, opinion: Opinion, vote: Vote, statuses: Mapping[str, float]) -> str:
    """Both witnesses and the verdict in one line."""
    reader = max(opinion.statuses, key=lambda one: opinion.statuses[one])
    verdict = max(statuses, key=lambda one: statuses[one])
    rules = f"{vote.status} {vote.confidence:.2f}" if vote.status != NONE else "nothing"
    return (
        f"{' + '.join(pair)}: rules {rules}, reader {reader} {opinion.statuses[reader]:.2f}"
        f" (contact {opinion.contact:.2f}), together {verdict} {statuses[verdict]:.2f}"
    )

"""Combines the two witnesses, rules and reader, into the mentions of an article.

The rules give evidence, time, place and forum. The reader gives the probability of each status for each pair of
leaders. A mention of the rules that is likely enough after combining keeps its facts. A mention that only the reader
found gets its facts from the sentence of its evidence. A mention that the reader contradicts is dropped, with the
reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, cast

import msgspec

from monitor.detect.reader.fusion import AHEAD, BEHIND, Fusion, RuleFinding, contact, fused, group
from monitor.detect.reader.groups import LikelyContact, contacts_of, gatherings
from monitor.detect.reader.opinion import NONE, PAST, Opinion, Pair
from monitor.detect.reader_mentions import READER
from monitor.records import Kind, Medium, Mention, Status, Witness

#: Probability from which the reader's medium is used for its own mentions, and for mentions whose medium the rules
#: lack.
_LIKELY_MEDIUM, _SURE_MEDIUM = 0.5, 0.8
#: A report opens no event when the probability of `past` is more than this times the probability of `held`.
_OLD = 0.5
#: A second mention of the same leaders with another status needs at least this probability for its status.
_SECOND = 0.15
_HELD = frozenset({"held", "ongoing"})
_REMOTE = frozenset({"phone", "video", "remote"})


class CombinedMentions(NamedTuple):
    """The mentions of an article, and each rejected candidate with the reason."""

    mentions: tuple[Mention, ...]
    rejected: tuple[tuple[str, str], ...]
    decisions: tuple[str, ...]


class WeighingContext(NamedTuple):
    """The context for combining: the article's language and day, and the weights of both witnesses."""

    language: str
    day: date
    fusion: Fusion


#: Makes a mention that only the reader found, from its leaders, status, kind and medium.
Alone = Callable[[frozenset[str], Status, Kind, Medium], Mention | None]


def votes(rules: Sequence[Mention], opinions: Mapping[Pair, Opinion], day: date) -> dict[Pair, RuleFinding]:
    """Return what the rules found for each pair; of several mentions, the one that the reader finds most likely.

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
        found[pair] = _vote(best, day) if best is not None else RuleFinding(NONE)
    return found


def _vote(mention: Mention, day: date) -> RuleFinding:
    when = mention.when
    ahead = when is not None and when.start > day
    return RuleFinding(mention.status, mention.confidence, ahead=ahead, stated=not mention.assumed)


def combine(
    rules: Sequence[Mention], opinions: Mapping[Pair, Opinion], about: WeighingContext, alone: Alone
) -> CombinedMentions:
    """Return the combined mentions: first those of the rules in their order, then those of the reader alone."""
    weights = about.fusion.of(about.language)
    said = votes(rules, opinions, about.day)
    pairs = {pair: fused(opinion, said[pair], weights) for pair, opinion in opinions.items()}
    sets = [frozenset(p.leader for p in one.participants) for one in rules]
    joined = _gathered(contacts_of(pairs, sets, about.fusion.joining), sets, opinions)
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
            rejected.append((READER, "a leader was out of office at that time, or all lead the same state"))
        else:
            added.append(_signed(made, one, RuleFinding(NONE), opinions, about))
    for at, leaders in enumerate(sets):
        if at not in kept and not leaders <= {one for pair in opinions if set(pair) <= leaders for one in pair}:
            kept[at] = rules[at]  # it rests on words that the reader was not shown
        elif at not in kept:
            rejected.append((evidence_text(rules[at]), _against(leaders, opinions, pairs)))
    decisions = tuple(_shown(pair, opinions[pair], said[pair], pairs[pair]) for pair in opinions)
    return CombinedMentions((*(kept[at] for at in sorted(kept)), *added), tuple(rejected), decisions)


def _gathered(
    joined: Sequence[LikelyContact], sets: Sequence[frozenset[str]], opinions: Mapping[Pair, Opinion]
) -> tuple[LikelyContact, ...]:
    """The contacts, with a summit's host and guests joined into one. Contacts that the rules found stay as they are."""
    summits = [one for one in joined if one.leaders not in sets and _told_medium(one.leaders, opinions)[0] == "summit"]
    return (*(one for one in joined if one not in summits), *gatherings(summits))


def _confirmed(
    same: Sequence[tuple[int, Mention]], one: LikelyContact, opinions: Mapping[Pair, Opinion], about: WeighingContext
) -> dict[int, Mention]:
    """The rules' mentions of an accepted contact: the most likely gets the combined status, others stay as they are."""
    shares = {at: _share(one.statuses, group(mention.status)) for at, mention in same}
    best = max(shares, key=lambda at: (shares[at], -at))
    status = _status(one.statuses)
    kept = {}
    for at, mention in same:
        vote = RuleFinding(mention.status, mention.confidence)
        if at == best:
            told = mention.status if status in BEHIND and _lies_ahead(mention, about.day) else status
            found = _with_medium(_of_status(mention, told, about.day), opinions)
            signed = _signed(found, one, vote, opinions, about)
            recalled = mention.status == PAST and told in _HELD  # "a year after their summit": no news by the rules
            kept[at] = msgspec.structs.replace(signed, joins_only=True) if recalled else signed
        elif shares[at] >= _SECOND or group(mention.status) == group(status):
            kept[at] = _signed(mention, one, vote, opinions, about)
        elif _is_another(mention, dict(same)[best]):
            kept[at] = _signed(mention, _by_rules(one, mention), vote, opinions, about)
    return kept


def _by_rules(one: LikelyContact, mention: Mention) -> LikelyContact:
    """The mention of a contact that both witnesses find, with the status that the rules state."""
    sure = contact(one.statuses) * mention.confidence
    return LikelyContact(one.leaders, dict.fromkeys(one.statuses, 0.0) | {NONE: 1 - sure, mention.status: sure})


def _is_another(one: Mention, other: Mention) -> bool:
    """Whether two mentions of the same leaders are two contacts: a call that was held, and a planned meeting.

    The reader gives only one answer for a pair, so it can't choose between two statuses and two media that each have
    their own clause. If the media do not differ, both mentions must be in one field: "spoke, and agreed to meet", "met,
    and invited him".
    """
    held, ahead = (one, other) if one.status in _HELD else (other, one)
    if held.status not in _HELD or ahead.status not in AHEAD or ahead.medium != "in_person":
        return False
    if held.medium in _REMOTE:
        return True
    fields = ({span.field for span in mention.evidence} for mention in (held, ahead))
    apart = held.medium == "unknown" or ahead.status == "proposed"
    return apart and not held.assumed and not next(fields).isdisjoint(next(fields))


def _of_status(mention: Mention, status: Status, day: date) -> Mention:
    """The mention with this status, without a time that contradicts it. `held` and `ongoing` count as the same."""
    if group(mention.status) == group(status) and status != "rescheduled":
        return mention
    when = mention.when
    if when is not None and ((status in AHEAD and when.end < day) or (status in BEHIND and when.start > day)):
        when = None
    return msgspec.structs.replace(mention, status=status, when=when, assumed=False)


def _lies_ahead(mention: Mention, day: date) -> bool:
    """Whether the headline plans it for today or a future day: then it is no report, however sure the reader is."""
    when, title = mention.when, mention.source.title if mention.source is not None else ""
    ahead = when is not None and when.granularity == "day" and when.start >= day and bool(when.text)
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
    """The reader's kind and medium for all pairs of these leaders together."""
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


def _signed(
    mention: Mention, one: LikelyContact, vote: RuleFinding, opinions: Mapping[Pair, Opinion], about: WeighingContext
) -> Mention:
    """The mention with its probabilities of each status, its confidence, and what each witness said."""
    told = contact(one.statuses) if mention.status != PAST else 1 - one.statuses[NONE]
    reader = _mean_contact(one.leaders, opinions)
    changes: dict[str, Any] = {
        "statuses": {
            status: round(share, 3) for status, share in one.statuses.items() if status != NONE and share >= 0.005
        },
        "confidence": round(_share(one.statuses, group(mention.status)), 2),
        "joins_only": told < about.fusion.opening or _may_be_old(mention.status, one.statuses),
        "witnesses": (
            Witness(name="rules", status=vote.status, confidence=round(vote.confidence, 2)),
            Witness(name=READER, status=_reader_status(one.leaders, opinions), confidence=round(reader, 2)),
        ),
    }
    return msgspec.structs.replace(mention, **changes)


def _may_be_old(status: Status, statuses: Mapping[str, float]) -> bool:
    """Whether a report may well be about a contact long past, which is no news."""
    return status in _HELD and statuses[PAST] > _OLD * _share(statuses, "held")


def _status(statuses: Mapping[str, float]) -> Status:
    """The most likely status: the most likely status of the most likely group."""
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
    """The reason why a mention of the rules is dropped."""
    inner = [pair for pair in opinions if set(pair) <= leaders]
    least = min(inner, key=lambda pair: contact(pairs[pair]))
    return f"the reader finds no contact of {' + '.join(least)} ({opinions[least].statuses[NONE]:.2f} none)"


def evidence_text(mention: Mention) -> str:
    """Return the first words of evidence of a mention, the rule's name if it has none."""
    return mention.evidence[0].text if mention.evidence else mention.rule


def _shown(pair: Pair, opinion: Opinion, vote: RuleFinding, statuses: Mapping[str, float]) -> str:
    """What both witnesses say, and the combined result, in one line."""
    reader = max(opinion.statuses, key=lambda one: opinion.statuses[one])
    verdict = max(statuses, key=lambda one: statuses[one])
    rules = f"{vote.status} {vote.confidence:.2f}" if vote.status != NONE else "nothing"
    shown = {NONE: "no contact"}
    return (
        f"{' + '.join(pair)}: together {shown.get(verdict, verdict)} {statuses[verdict]:.2f};"
        f" rules {rules}, reader {shown.get(reader, reader)} {opinion.statuses[reader]:.2f}"
    )

"""Withdraws earlier claims after a newer revision of an article, or a separate correction or retraction.

A newer revision replaces everything that older revisions said. A notice ("CORRECTED: ...", "Retraction: ...") replaces
what an earlier article of the same outlet said. The words of notices are data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from monitor.assemble.claims.fingerprint import words
from monitor.assemble.claims.kept_mention import KeptMention
from monitor.records import Article, Mention, Participant, Source, utc
from monitor.watchlist import bundled
from monitor.yaml_text import read_data_file

Kind = Literal["correction", "retraction"]

#: Days back within which a notice looks for the article that it is about.
REACH = 14
#: Share of an article's title words that the notice about it must repeat.
ALIKE = 0.5
#: Characters between a notice's word and the colon or dash after it: "Correction to Tuesday's story: ...".
_GAP = 30
_EXCERPT = 1_500
_FIRST = re.compile(r"\w+")
_MARKS = " \t\"'“”«»„*_#([【<-–—•·:："
_BOX_ENDS = (")", "]", "】")
_FILE = Path(__file__).parent / "data" / "notices.yaml"


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    correction: tuple[str, ...]
    retraction: tuple[str, ...]
    says: tuple[str, ...] = ()


class _Patterns(NamedTuple):
    """The forms of one kind of notice: first words (`forms`), opening, ending, and phrases anywhere (`says`)."""

    kind: Kind
    forms: tuple[str, ...]
    opening: re.Pattern[str]
    ending: re.Pattern[str]
    says: tuple[str, ...]


@cache
def _patterns() -> tuple[_Patterns, ...]:
    languages = read_data_file(_FILE, dict[str, _Words])
    says = tuple(word.lower() for one in languages.values() for word in one.says)
    retraction = [word for one in languages.values() for word in one.retraction]
    correction = [word for one in languages.values() for word in one.correction]
    return _read("retraction", retraction, says), _read("correction", correction, ())


@cache
def _first_words() -> frozenset[str]:
    """The first word of each form and phrase of a notice, up to the first punctuation mark."""
    found = (_FIRST.match(form) for one in _patterns() for form in (*one.forms, *one.says))
    return frozenset(match[0] for match in found if match)


def _read(kind: Kind, forms: Iterable[str], says: tuple[str, ...]) -> _Patterns:
    word = "|".join(re.escape(form) for form in sorted(set(forms), key=len, reverse=True))
    behind = rf"(?:\s[^:：|–—\n]{{0,{_GAP}}})?\s*(?:[:：|–—】\])]|-(?=\s|\w))"
    return _Patterns(
        kind,
        tuple({form.lower() for form in forms}),
        re.compile(rf"[\W_]*(?:{word}){behind}", re.IGNORECASE),
        re.compile(rf"[(\[【]\s*(?:{word})\s*[)\]】]\s*$", re.IGNORECASE),
        says,
    )


def notice_of(title: str) -> Kind | None:
    """Say whether a title announces a correction or a retraction; None if neither."""
    boxed = title.rstrip().endswith(_BOX_ENDS)
    lower = title.lower()
    bare = lower.lstrip(_MARKS)
    # Few titles contain such a word; checking that first takes a tenth of the time.
    if not boxed and bare[:1].isascii() and _first_words().isdisjoint(_FIRST.findall(lower)):
        return None
    for one in _patterns():
        if (
            (bare.startswith(one.forms) and one.opening.match(title))
            or (boxed and one.ending.search(title))
            or any(say in lower for say in one.says)
        ):
            return one.kind
    return None


def with_withdrawals(article: Article, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """Return what assembly needs from an article: its mentions, then a record that withdraws what it replaces.

    A retraction claims nothing, so its own mentions are left out; they only say which contact it is about.
    """
    notice = notice_of(article.title)
    if notice == "correction" and mentions and all(_takes_back(mention) for mention in mentions):
        notice = "retraction"
    told = () if notice == "retraction" else tuple(mentions)
    if notice == "correction":  # "on Friday, not Thursday" corrects the outlet; it does not move the contact
        told = tuple(msgspec.structs.replace(m, status="planned") if m.status == "rescheduled" else m for m in told)
    if article.revision:
        return (*told, _withdrawal(article, "older"))
    if notice == "retraction":
        named = {p.leader: p for mention in mentions for p in mention.participants}
        return (_withdrawal(article, "retraction", tuple(named.values())),)
    return (*told, _withdrawal(article, "outlet")) if notice == "correction" else told


def _takes_back(mention: Mention) -> bool:
    """Whether a correction says that a contact did not take place: "Correction: A did not call B"."""
    told = mention.source.published if mention.source is not None else None
    ahead = mention.when is not None and told is not None and mention.when.end > utc(told).date()
    return mention.status == "denied" and not ahead


def _withdrawal(
    article: Article,
    withdraws: Literal["older", "outlet", "retraction"],
    participants: tuple[Participant, ...] = (),
) -> Mention:
    excerpt = "\n".join(piece for piece in (article.title, article.summary) if piece)
    return Mention(
        article_id=article.id,
        participants=participants,
        kind="talks",
        medium="unknown",
        status="past",
        language=article.language,
        withdraws=withdraws,
        source=Source(
            article_id=article.id, title=article.title, url=article.url, outlet=article.outlet,
            publisher=article.publisher, country=article.country, official=article.official,
            speaks_for=article.speaks_for, language=article.language, published=article.published, seen=article.seen,
            revision=article.revision, backfill=article.backfill, excerpt=excerpt[:_EXCERPT],
        ),
    )  # fmt: skip


def taken_back(notice: Mention, claims: Iterable[KeptMention], time: int) -> list[KeptMention]:
    """Return the claims that a notice withdraws; `time` is the notice's, in seconds.

    They are by the notice's outlet, no newer than the notice, and at most REACH days old. A retraction withdraws all
    claims about a contact whose participants it names; otherwise the notice withdraws those of the one article whose
    title it repeats best.
    """
    source = notice.source
    if source is None:
        return []
    owner = source.publisher or source.outlet
    reach = REACH * 86_400
    own = [m for m in claims if owner and m.owner == owner and 0 <= time - m.time <= reach]
    own = [m for m in own if m.article_id != notice.article_id]
    named = {p.leader for p in notice.participants}
    told = set(words(source.excerpt))
    if notice.withdraws == "retraction":
        whole = [m for m in own if (m.leaders <= named if named else all(is_named(p, source) for p in m.participants))]
        if whole:
            return whole
    shares = {m.article_id: _share(m.title, told) for m in own if any(is_named(p, source) for p in m.participants)}
    best = max(shares, key=lambda i: (shares[i], i), default="")
    return [m for m in own if m.article_id == best] if best and shares[best] >= ALIKE else []


def is_named(participant: Participant, source: Source) -> bool:
    """Say whether a text names a leader by any name in the watchlist."""
    known = bundled().leaders.get(participant.leader)
    names = {participant.name, *(alias.text for alias in known.aliases)} if known else {participant.name}
    return any(name in source.excerpt for name in names)


def _share(title: str, told: set[str]) -> float:
    own = set(words(title))
    return len(own & told) / len(own) if own else 0.0

"""How articles take back what was published: newer revisions, and corrections and retractions as articles of their own.

What an article says now replaces all that its older revisions said. A notice ("CORRECTED: ...", "Retraction: ...") does
the same to the article of the same outlet that it speaks of. The words of notices are data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import Literal

import msgspec
import yaml

from monitor.assemble.claims.fingerprint import words
from monitor.assemble.claims.sighting import Sighting
from monitor.errors import DataFileError
from monitor.records import Article, Mention, Participant, Source
from monitor.watchlist import bundled

Kind = Literal["correction", "retraction"]

#: Days back within which a notice of its own finds the article that it speaks of.
REACH = 14
#: Share of an article's title that stands in the notice on it.
ALIKE = 0.5
#: Characters between a notice's word and the colon or dash behind it: "Correction to Tuesday's story: ...".
_GAP = 30
_EXCERPT = 1_500
_FILE = "notices.yaml"


class _Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    correction: tuple[str, ...]
    retraction: tuple[str, ...]
    says: tuple[str, ...] = ()


@cache
def _patterns() -> tuple[tuple[Kind, re.Pattern[str]], ...]:
    text = resources.files(__package__).joinpath("data", _FILE).read_text(encoding="utf-8")
    try:
        languages = msgspec.convert(yaml.safe_load(text), dict[str, _Words])
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise DataFileError(_FILE, "", str(error)) from error
    retraction = _opening(w for one in languages.values() for w in one.retraction)
    says = _either(w for one in languages.values() for w in one.says)
    correction = _opening(w for one in languages.values() for w in one.correction)
    return (
        ("retraction", re.compile(rf"{retraction}|\b(?:{says})\b", re.IGNORECASE)),
        ("correction", re.compile(correction, re.IGNORECASE)),
    )


def _either(forms: Iterable[str]) -> str:
    return "|".join(re.escape(form) for form in sorted(set(forms), key=len, reverse=True))


def _opening(forms: Iterable[str]) -> str:
    word = _either(forms)
    behind = rf"(?:\s[^:：|–—\n]{{0,{_GAP}}})?\s*(?:[:：|–—】\])]|-(?=\s|\w))"
    return rf"^[\W_]*(?:{word}){behind}|[(\[【]\s*(?:{word})\s*[)\]】]\s*$"


def notice_of(title: str) -> Kind | None:
    """Whether a title is of a correction or a retraction, None when it is neither."""
    return next((kind for kind, pattern in _patterns() if pattern.search(title)), None)


def with_withdrawals(article: Article, mentions: Sequence[Mention]) -> tuple[Mention, ...]:
    """What an article tells assembly: its mentions, then a record that takes back what it replaces.

    A retraction claims nothing, so its own mentions are left out; they say which contact it speaks of.
    """
    notice = notice_of(article.title)
    told = () if notice == "retraction" else tuple(mentions)
    if article.revision:
        return (*told, _withdrawal(article, "older"))
    if notice == "retraction":
        named = {p.leader: p for mention in mentions for p in mention.participants}
        return (_withdrawal(article, "retraction", tuple(named.values())),)
    return (*told, _withdrawal(article, "outlet")) if notice == "correction" else told


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


def taken_back(notice: Mention, claims: Iterable[Sighting], time: int) -> list[Sighting]:
    """The claims that a notice takes back; `time` is its own, in seconds.

    They are of the notice's outlet, no newer than it, and not older than REACH days. A retraction takes back all of a
    contact whose participants it names; else the notice takes back the one article whose title it repeats best.
    """
    source = notice.source
    if source is None:
        return []
    owner = source.publisher or source.outlet
    reach = REACH * 86_400
    own = [s for s in claims if owner and s.owner == owner and 0 <= time - s.time <= reach]
    own = [s for s in own if s.article_id != notice.article_id]
    named = {p.leader for p in notice.participants}
    told = set(words(source.excerpt))
    if notice.withdraws == "retraction":
        whole = [s for s in own if (s.leaders <= named if named else all(is_named(p, source) for p in s.participants))]
        if whole:
            return whole
    shares = {s.article_id: _share(s.title, told) for s in own if any(is_named(p, source) for p in s.participants)}
    best = max(shares, key=lambda i: (shares[i], i), default="")
    return [s for s in own if s.article_id == best] if best and shares[best] >= ALIKE else []


def is_named(participant: Participant, source: Source) -> bool:
    """Whether a text names a leader, by the name of the watchlist or one of its other spellings."""
    known = bundled().leaders.get(participant.leader)
    names = {participant.name, *(alias.text for alias in known.aliases)} if known else {participant.name}
    return any(name in source.excerpt for name in names)


def _share(title: str, told: set[str]) -> float:
    own = set(words(title))
    return len(own & told) / len(own) if own else 0.0

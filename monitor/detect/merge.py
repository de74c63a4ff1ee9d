"""Merges findings of the same contact (title and text, headline and lede) into one mention with all their evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from monitor.detect.confidence import Feature, model
from monitor.detect.people.offices import DESIGNATE, Focus, OfficeRegistry
from monitor.detect.rules.contacts import Contact
from monitor.detect.rules.rows import Row
from monitor.detect.rules.status_cues import Verdict
from monitor.detect.rules.surroundings import ClauseFacts
from monitor.detect.text.normal import NormalText, fold
from monitor.detect.text.tokens import tokenize
from monitor.records import Article, Evidence, Field, Mention, Participant, Source, Status
from monitor.watchlist import Watchlist

#: Code points of an article that go with its mentions as an excerpt.
EXCERPT = 1_500
#: Code points of a title in which a label such as "Opinion" may stand.
LABEL = 120

_GROUPS: dict[Status, str] = {"held": "held", "ongoing": "held"}
_REMOTE = frozenset({"phone", "video", "remote"})


class FoundContact(msgspec.Struct, frozen=True):
    """One contact as one sentence reports it."""

    field: Field
    normal: NormalText
    row: Row
    contact: Contact
    verdict: Verdict
    facts: ClauseFacts


class ArticleSetting(msgspec.Struct, frozen=True):
    """What all mentions of an article share."""

    article: Article
    watchlist: Watchlist
    day: date
    language: str
    source: Source
    topics: tuple[str, ...] = ()
    speaker: str = ""
    opinion: bool = False


def article_setting(
    article: Article, registry: OfficeRegistry, focus: Focus, *, title: str, label: str, opening: str
) -> ArticleSetting:
    """Return what all mentions of the article share.

    `title` is the normalised title, `label` the kind of label in it ("opinion", ...), `opening` where topics stand.
    """
    language = registry.language
    excerpt = "\n".join(piece for piece in (article.title, article.summary, article.text[:EXCERPT]) if piece)
    source = Source(
        article_id=article.id, title=article.title, url=article.url, outlet=article.outlet,
        publisher=article.publisher, country=article.country, official=article.official or bool(focus.speaker),
        speaks_for=article.speaks_for, language=language.code, published=article.published, seen=article.seen,
        revision=article.revision, backfill=article.backfill, excerpt=excerpt[:EXCERPT],
    )  # fmt: skip
    words = [token.text for token in tokenize(title, fold(title), 0, min(len(title), LABEL))[:8]]
    labelled = language.opinion.longest(words, 0) if words else None
    own_label = labelled is not None and labelled[0] < len(words) and words[labelled[0]] in ":|-—."
    return ArticleSetting(
        article, registry.watchlist, focus.day, language.code, source,
        topics=language.topics.find(opening), speaker=focus.speaker,
        opinion=own_label or label in ("opinion", "analysis", "check"),
    )  # fmt: skip


def merged(findings: Sequence[FoundContact], setting: ArticleSetting) -> tuple[Mention, ...]:
    """Return the mentions of an article, one for each contact that it reports."""
    groups: list[list[FoundContact]] = []
    for finding in findings:
        home = next((group for group in groups if _same(group, finding)), None)
        if home is None:
            groups.append([finding])
        else:
            home.append(finding)
    return tuple(_mention(group, setting) for group in groups if not _is_separate(group, groups))


def _is_separate(group: Sequence[FoundContact], groups: Sequence[Sequence[FoundContact]]) -> bool:
    """Whether the article says elsewhere that this contact of several leaders was a separate contact with each."""
    leaders = group[0].contact.leaders
    pairs = [one[0].contact.leaders for one in groups if one[0].contact.apart and one[0].contact.leaders < leaders]
    return len(pairs) > 1 and frozenset().union(*pairs) == leaders


def _same(group: Sequence[FoundContact], finding: FoundContact) -> bool:
    """Whether the finding is about the group's contact: the same leaders, and nothing that contradicts."""
    first = group[0]
    if first.contact.leaders != finding.contact.leaders:
        return False
    mine, yours = first.facts, finding.facts
    if mine.when and yours.when and (mine.when.end < yours.when.start or yours.when.end < mine.when.start):
        return False
    if (mine.medium in _REMOTE and yours.medium == "in_person") or (
        yours.medium in _REMOTE and mine.medium == "in_person"
    ):
        return False
    if mine.forum and yours.forum and mine.forum != yours.forum:
        return False
    if _visitor(first) and _visitor(finding) and _visitor(first) != _visitor(finding):
        return False
    same_status = _GROUPS.get(mine.status, mine.status) == _GROUPS.get(yours.status, yours.status)
    return same_status or (first.row is not finding.row and not (mine.stated and yours.stated))


def _visitor(finding: FoundContact) -> tuple[str, ...]:
    contact = finding.contact
    return {"visitor": contact.a, "host": contact.b}.get(contact.trigger.of.role, ()) if contact.b else ()


def _mention(group: Sequence[FoundContact], setting: ArticleSetting) -> Mention:
    lead = next((one for one in group if one.facts.stated), group[0])
    known = next((one for one in group if one.facts.medium != "unknown"), lead)
    contact = lead.contact
    evidence = [_evidence(one, setting.article) for one in group[:4]]
    outlet = setting.article.outlet
    if outlet and contact.inferred and setting.speaker in contact.leaders:
        evidence.append(Evidence(field="outlet", start=0, end=len(outlet), text=outlet))
    return Mention(
        article_id=setting.article.id,
        participants=tuple(participant(one, setting, _role(one, contact)) for one in sorted(contact.leaders)),
        kind=lead.facts.kind if lead.facts.medium != "unknown" else known.facts.kind,
        medium=known.facts.medium,
        status=lead.facts.status,
        when=next((one.facts.when for one in group if one.facts.when is not None), None),
        place=next((one.facts.place for one in group if one.facts.place is not None), None),
        forum=next((one.facts.forum for one in group if one.facts.forum is not None), None),
        topics=setting.topics,
        confidence=model().confidence(_features(group, known, setting)),
        evidence=tuple(evidence),
        rule=contact.frame.name,
        language=setting.language,
        source=setting.source,
        assumed=not lead.facts.stated and _is_bare(lead),
    )


def _is_bare(finding: FoundContact) -> bool:
    """Whether a noun names the contact without a verb that says that it took place: "their talks", not "held talks"."""
    contact = finding.contact
    items = finding.row.items[contact.first : contact.last]
    return contact.trigger.tense in ("noun", "plural") and not any(item.class_ in ("support", "have") for item in items)


def _features(group: Sequence[FoundContact], known: FoundContact, setting: ArticleSetting) -> list[Feature]:
    given: dict[Feature, bool] = {
        "inferred": all(one.contact.inferred for one in group),
        "headline": any(one.field == "title" for one in group),
        "agreed": len({id(one.row) for one in group}) > 1,
        "host_unnamed": all(one.contact.host_unnamed for one in group),
        "medium_known": known.facts.medium != "unknown",
        "weak_trigger": all(one.contact.trigger.of.weak for one in group),
        "opinion": setting.opinion,
    }
    return [name for name, holds in given.items() if holds]


def participant(leader: str, setting: ArticleSetting, role: str = "") -> Participant:
    """Return a leader as a participant, with the office held on the article's day, or the state soon or lately led."""
    office = setting.watchlist.office_on(leader, setting.day)
    known = setting.watchlist.leaders.get(leader)
    return Participant(
        leader=leader,
        name=known.name if known else leader,
        country=office.country if office else setting.watchlist.state_of(leader, setting.day, DESIGNATE),
        office=office.title if office else "",
        role=role,
    )


def _role(leader: str, contact: Contact) -> str:
    match contact.trigger.of.role:
        case "host" if contact.b:
            return "host" if leader in contact.a else "visitor"
        case "visitor" if contact.b:
            return "visitor" if leader in contact.a else "host"
        case "caller" if contact.b and contact.trigger.tense != "noun":
            return "caller" if leader in contact.a else ""
    return ""


def _evidence(finding: FoundContact, article: Article) -> Evidence:
    row, contact = finding.row, finding.contact
    first, last = row.items[contact.first], row.items[contact.last - 1]
    start, end = finding.normal.span(row.tokens[first.first].start, row.tokens[last.last - 1].end)
    whole: str = getattr(article, finding.field)
    return Evidence(field=finding.field, start=start, end=end, text=whole[start:end])

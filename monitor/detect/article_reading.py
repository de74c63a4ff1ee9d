"""The steps of detection for one article whose names and triggers were found. Pure.

`ArticleReading` goes through the sentences: persons, items (`rules/rows.py`), contacts (`rules/contacts.py`), status
cues, and time, place and forum of each contact. `merge.py` makes the mentions of the rules from all contacts found. The
learned reader judges each pair of leaders, and `witnesses.py` combines both results.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from functools import cached_property
from typing import Any

import msgspec

from monitor.detect.appeals import (
    Appeal,
    appeal_of,
    appeal_to_one,
    as_appealed,
    as_labelled,
    asked_apart,
    asked_to_meet,
    dates_the_appeal,
    dates_the_offer,
    may_appeal,
)
from monitor.detect.crowds import crowd_appeals, unless_crowd_appeal
from monitor.detect.dating import OpeningSentences, dated
from monitor.detect.explain import Explanation
from monitor.detect.merge import ArticleSetting, FoundContact, article_setting, merged
from monitor.detect.people.finder import People
from monitor.detect.people.gazetteer import NameHit
from monitor.detect.people.offices import DESIGNATE, Focus, OfficeRegistry
from monitor.detect.people.person import Person
from monitor.detect.reader.evidence import TRIES, evidence_words
from monitor.detect.reader.opinion import Pair
from monitor.detect.reader.passage import Passage, SeenLeader, Word, fields_of
from monitor.detect.reader.reader import PairReader
from monitor.detect.reader_mentions import READER, evidence_of, reader_mention
from monitor.detect.rules.contacts import SOMEBODY_ELSE, Contact, Rejection, find_contacts, separate_contacts
from monitor.detect.rules.rows import MAX_TOKENS, Row, read_row
from monitor.detect.rules.status_cues import FoundCue, find_cues, status_of
from monitor.detect.rules.surroundings import Surroundings, facts_of
from monitor.detect.text.news_layout import furniture, label, sentences
from monitor.detect.text.normal import NormalText
from monitor.detect.text.tokens import Token, split_at, tokenize
from monitor.detect.trips import called_off, is_trip_off, may_call_off, without_the_plan
from monitor.detect.witnesses import WeighingContext, combine, evidence_text
from monitor.records import Article, Field, Kind, Medium, Mention, Status, When

#: Sentences of the summary and of the text that are read: news puts what matters first (inverted pyramid).
MAX_SENTENCES = 40
#: Code points at the beginning of an official readout in which a remote medium is looked for.
OPENING = 600
#: Code points of each field in which topics are looked for.
TOPICAL = 1_000

#: Number of sentences in which time and place of a contact that only the reader found are looked for.
_MOST_SENTENCES = 3
_PUT_OFF = frozenset({"postponed", "rescheduled", "cancelled", "denied"})


class ArticleField(msgspec.Struct, frozen=True):
    """One field of the article, normalised, with the names in it."""

    field: Field
    normal: NormalText
    folded: str
    hits: tuple[NameHit, ...]


class ArticleReading:
    """One article on its way through the steps of detection."""

    def __init__(
        self,
        registry: OfficeRegistry,
        article: Article,
        parts: list[ArticleField],
        *,
        moment: datetime | None,
        day: date,
        speaker: str,
        home: str,
    ) -> None:
        self.registry = registry
        self.language = registry.language
        self.article = article
        self.parts = parts
        self.moment = moment
        serving = registry.serving(day) | registry.serving(min(day, date.max - DESIGNATE) + DESIGNATE)
        self.serving = serving
        named: set[str] = set()
        candidates: set[str] = set()
        for part in parts:
            for hit in part.hits:
                for leader, strength in hit.name.leaders:
                    if leader in serving:
                        candidates.add(leader)
                        if strength == "full":
                            named.add(leader)
        self.focus = Focus(
            registry, day, speaker, frozenset(named), frozenset(candidates), dated=self.moment is not None, home=home
        )
        self.persons: list[tuple[str, str]] = []
        self.triggers: list[str] = []
        self.decisions: list[str] = []
        self.weighed: list[str] = []
        self.rejected: list[tuple[str, str]] = []
        self.opening = OpeningSentences(self.language, moment)
        self.seen: list[SeenLeader] = []
        self.rows: list[tuple[ArticleField, Row]] = []
        self._appeals: list[Appeal] = []
        #: Sentences that say that someone else (an envoy, an aide) meets a leader, with that leader.
        self._met_by_others: list[tuple[Row, frozenset[str]]] = []
        self._false_senses: list[Row] = []

    def rule_mentions(self) -> tuple[Mention, ...]:
        """Return the mentions of the rules. Call it once: it reads the article."""
        findings = [self._own_words(finding) for part in self.parts for finding in self._read(part)]
        mentions = merged(findings, self._setting) if findings else ()
        return tuple(dated(one, self.opening) for one in mentions)

    def passage(self) -> Passage:
        """Return the article in the form that the reader takes. Call `rule_mentions` first."""
        fields = fields_of([(part.field, part.normal.text) for part in self.parts])
        return Passage(self.language.code, fields, tuple(self.seen), self.focus.speaker)

    def explanation(self, reader: PairReader | None, *, lean: bool) -> Explanation:
        """Take the article through all steps; `lean` returns only outcome and mentions. Call it once."""
        mentions = self.rule_mentions()
        if reader is not None:
            mentions = self._combined(reader, mentions)
        rows = self.rows if mentions else []
        found = [one for part, row in rows for one in crowd_appeals(row, part.field, self.language)]
        cried = [unless_crowd_appeal(one, found) for one in mentions]
        self.rejected += [
            (evidence_text(one), "only an appeal of a crowd, a poll or a picture")
            for one, left in zip(mentions, cried, strict=True)
            if not left
        ]
        asked = [self._as_appealed(one) for one in cried if one is not None]
        mentions = as_labelled(asked, self._label, self.focus.day)
        tracked = self.registry.watchlist.tracks
        untracked = [one for one in mentions if not tracked([p.leader for p in one.participants])]
        self.rejected += [(evidence_text(one), "no watched leader takes part") for one in untracked]
        mentions = tuple(one for one in mentions if one not in untracked)
        for trip in self._called_off(mentions):
            mentions = (*without_the_plan(mentions, trip), trip)
        mentions = tuple(self._with_its_trip(one) for one in mentions)
        outcome = f"{len(mentions)} mention{'s' if len(mentions) != 1 else ''}"
        if lean:
            return Explanation(
                article_id=self.article.id, language=self.language.code, outcome=outcome, mentions=mentions
            )
        return Explanation(
            article_id=self.article.id,
            language=self.language.code,
            outcome=outcome,
            leaders=tuple(dict.fromkeys(self.focus.seen)),
            persons=tuple(dict.fromkeys(self.persons)),
            triggers=tuple(self.triggers),
            mentions=mentions,
            decisions=tuple(self.decisions),
            weighed=tuple(self.weighed),
            rejected=tuple(dict.fromkeys(self.rejected)),
        )

    def _as_appealed(self, mention: Mention) -> Mention:
        """The mention without the day on which others, or one of the leaders, only asked for it."""
        asked = as_appealed(mention, self._appeals)
        day = asked.when.text if asked.when is not None else ""
        if not day or (asked.rule != READER and asked.status != "proposed"):
            return asked
        for part, row in self.rows:
            text = part.normal.text
            if not row.tokens or day not in text[row.tokens[0].start : row.tokens[-1].end]:
                continue
            cues = find_cues(row, self.language)
            if (asked.status == "proposed" and dates_the_offer(asked, row, cues, text)) or (
                asked.rule == READER and dates_the_appeal(asked, row, cues, text)
            ):
                return msgspec.structs.replace(asked, when=None)
        return asked

    def _called_off(self, found: tuple[Mention, ...]) -> Iterator[Mention]:
        """The mention of a trip that the headline cancels, if no other mention is about it."""
        for part, row in self.rows[:1]:
            if part.field != "title" or not may_call_off(row, self.language):
                continue
            around = Surroundings(part.normal.text, row, self.language, self.moment)
            one = called_off(around, self.language, self._setting, self.parts, self.focus.day)
            known = {p.leader for mention in found if mention.status in _PUT_OFF for p in mention.participants}
            if one is not None and known.isdisjoint(p.leader for p in one.participants):
                yield one

    def _with_its_trip(self, mention: Mention) -> Mention:
        """The mention; cancelled if the headline denies it because the trip is off: "drops trip, will not meet X"."""
        title = next((row for part, row in self.rows[:1] if part.field == "title"), None)
        if mention.status != "denied" or title is None or not is_trip_off(title, self.language):
            return mention
        return msgspec.structs.replace(mention, status="cancelled")

    def _combined(self, reader: PairReader, rules: tuple[Mention, ...]) -> tuple[Mention, ...]:
        """The mentions that remain after the reader's judgement of each pair is combined with the rules' mentions."""
        passage = self.passage()
        read = reader.read(passage)
        found = [{p.leader for p in one.participants} for one in rules]
        opinions = {
            pair: one
            for pair, one in read.items()
            if not self.focus.of_one_state(frozenset(pair))
            and (any(set(pair) <= leaders for leaders in found) or not self._is_dismissed(pair))
        }
        if not opinions:
            return rules

        searched: list[Pair] = []

        def alone(leaders: frozenset[str], status: Status, kind: Kind, medium: Medium) -> Mention | None:
            if not self._in_office(leaders, None) or self.focus.of_one_state(leaders):
                return None
            pair = next(pair for pair in opinions if set(pair) <= leaders)
            words = evidence_words(reader, reader.words(passage, pair), 1 if searched else TRIES)
            searched.append(pair)
            around = [
                Surroundings(part.normal.text, row, self.language, self.moment)
                for part, row in self._sentences_of(words, leaders)
            ]
            setting = self._setting
            return reader_mention(
                leaders, (kind, medium, status), around, evidence_of(words, self.parts, setting), setting
            )

        combined = combine(rules, opinions, WeighingContext(self.language.code, self.focus.day, reader.fusion), alone)
        self.rejected += combined.rejected
        self.weighed += combined.decisions
        return tuple(dated(one, self.opening) for one in combined.mentions)

    def _is_dismissed(self, pair: Pair) -> bool:
        """Whether the text itself says that the two are not in contact, so that the reader's opinion is not needed."""
        if asked_apart(self._appeals, pair):
            return True
        both = [row for _, row in self.rows if {one for item in row.items for one in item.leaders}.issuperset(pair)]
        return bool(both) and (
            all(self._is_anothers(row, set(pair)) for row in both)
            or all(any(row is one for one in self._false_senses) for row in both)
        )

    def _is_anothers(self, row: Row, pair: set[str]) -> bool:
        """Whether the sentence says that an envoy or aide meets one of them."""
        return any(row is one and len(pair & leaders) == 1 for one, leaders in self._met_by_others)

    def _sentences_of(self, words: Sequence[Word], leaders: frozenset[str]) -> list[tuple[ArticleField, Row]]:
        """The sentences that may give time and place: first the one with these words, then those with most leaders."""

        def rank(one: tuple[ArticleField, Row]) -> tuple[bool, int]:
            part, row = one
            start, end = row.tokens[0].start, row.tokens[-1].end
            holds = any(word.field == part.field and start <= word.start < end for word in words)
            return not holds, -len(leaders & {leader for item in row.items for leader in item.leaders})

        return sorted((one for one in self.rows if one[1].tokens), key=rank)[:_MOST_SENTENCES]

    def _read(self, part: ArticleField) -> Iterator[FoundContact]:
        people = People(self.registry, self.focus)
        text = part.normal.text
        title_case, lower_case = _case(text)
        self.focus.headline = part.field == "title"
        calendar = self.language.calendar
        months = calendar.month_words(text, part.folded) if calendar is not None else frozenset()
        extras = [one for one in furniture(text) if one.kind != "caption"] if part.field != "title" else []
        for start, end in sentences(text, MAX_SENTENCES):
            if any(one.start <= start < one.end for one in extras):
                continue
            hits = list(part.hits[bisect_left(part.hits, (start,)) : bisect_left(part.hits, (end,))])
            tokens = tokenize(text, part.folded, start, end)[:MAX_TOKENS]
            if self.language.clitics:
                tokens = split_at(tokens, [hit.start for hit in hits])
            persons = people.read(tokens, hits, title_case=title_case, lower_case=lower_case)
            self._note(part, tokens, persons)
            self.seen += [
                SeenLeader(part.field, tokens[one.first].start, tokens[one.last - 1].end, one.leaders)
                for one in persons
                if one.leaders
            ]
            row = read_row(tokens, persons, self.registry, title_case=title_case, months=months)
            self.rows.append((part, row))
            found, rejected = find_contacts(row, self.language, self.focus)
            contacts = [one for one in found if not asked_to_meet(one, found)]
            cues = self._cues_of(row, contacts)
            self._note_rejected(part, row, rejected)
            self.opening.add(part.field, text, row)
            if subject := next((item.leaders for item in row.items if item.class_ == "LEADER"), ()):
                self.focus.subject = subject
            if not contacts:
                continue
            around = Surroundings(text, row, self.language, self.moment)
            for contact in contacts:
                verdict = status_of(row, contact, cues, tensed=self.language.tensed)
                if verdict.status == "proposed" and (appeal := appeal_of(row, contact, cues, text)) is not None:
                    self._appeals.append(appeal)
                facts = facts_of(around, contact, contacts, verdict)
                self.opening.note(row, contact.leaders, facts.times, facts.foreign)
                self.triggers.append(contact.trigger.name)
                said = "no single contact" if verdict.status == "generic" else facts.status
                who, why = " + ".join(sorted(contact.leaders)), _because(facts.why, contact)
                self.decisions.append(f"{who}: {said}, {why} ({contact.frame.name})")
                if not self._in_office(contact.leaders, facts.when):
                    self.rejected.append((contact.trigger.name, "a leader was out of office at that time"))
                    continue
                if contact.frame.alone and facts.forum:
                    self.rejected.append((contact.trigger.name, "guests of a forum need not have met"))
                    continue
                if self.focus.of_one_state(contact.leaders):
                    self.rejected.append((contact.trigger.name, "all lead the same state"))
                    continue
                if verdict.status == "generic":
                    self.rejected.append((contact.trigger.name, f"no single contact: {verdict.words!r}"))
                    continue
                for one in separate_contacts(row, contact, facts.medium, self.language, self.focus.of_one_country):
                    yield FoundContact(part.field, part.normal, row, one, verdict, facts)
                for forum in facts.other_forums:
                    elsewhere = msgspec.structs.replace(facts, forum=forum, place=None)
                    yield FoundContact(part.field, part.normal, row, contact, verdict, elsewhere)

    def _cues_of(self, row: Row, contacts: list[Contact]) -> list[FoundCue]:
        """The status cues of a sentence that needs them. Notes an appeal to a leader and somebody who leads nothing."""
        cues = find_cues(row, self.language) if contacts or may_appeal(row) else []
        if (appeal := appeal_to_one(row, cues)) is not None:
            self._appeals.append(appeal)
        return cues

    def _in_office(self, leaders: frozenset[str], when: When | None) -> bool:
        """Whether all were in office (or elected) on the article's day or on the day of the contact."""
        return leaders <= self.serving or (when is not None and leaders <= self.registry.serving(when.start))

    def _own_words(self, finding: FoundContact) -> FoundContact:
        """Fill in what an official readout leaves out: its day, and "in person" when it names no remote medium.

        A readout that "speaks with" somebody may mean either, so its medium stays unknown.
        """
        facts, speaker = finding.facts, self.focus.speaker
        if facts.status != "held" or not speaker or speaker not in finding.contact.leaders or finding.field != "title":
            return finding
        changes: dict[str, Any] = {}
        if facts.when is None and self.moment is not None:
            changes["when"] = When(start=self.moment.date(), end=self.moment.date())
        if facts.medium == "unknown":
            medium = self._remote_medium()
            spoken = finding.contact.trigger.class_ == "SPEAK" and medium is None
            changes |= {} if spoken else {"medium": medium or "in_person", "kind": "call" if medium else "meeting"}
        return msgspec.structs.replace(finding, facts=msgspec.structs.replace(facts, **changes))

    def _remote_medium(self) -> Medium | None:
        """The remote medium that the article's opening names, None if it names none."""
        for part in self.parts:
            words = [token.text for token in tokenize(part.normal.text, part.folded, 0, OPENING)]
            for at in range(len(words)):
                found = self.language.media.longest(words, at)
                if found is not None and found[1][0] in ("phone", "video"):
                    return found[1][0]
        return None

    def _note(self, part: ArticleField, tokens: list[Token], persons: list[Person]) -> None:
        text = part.normal.text
        for person in persons:
            if not person.leaders and self.language.lexicon.longest([tokens[person.first].text], 0):
                continue  # "Friday" can be a name, but is mostly a day
            words = text[tokens[person.first].start : tokens[person.last - 1].end]
            self.persons.append((words, " + ".join(person.leaders) or person.reason))

    def _note_rejected(self, part: ArticleField, row: Row, rejected: list[Rejection]) -> None:
        text = part.normal.text
        certain = {one.at for one in rejected if one.certain}
        if certain and certain.issuperset(at for at, item in enumerate(row.items) if item.trigger is not None):
            self._false_senses.append(row)
        for one in rejected:
            item = row.items[one.at]
            words = text[row.tokens[item.first].start : row.tokens[item.last - 1].end]
            self.rejected.append((words, one.reason))
            if one.reason == SOMEBODY_ELSE:
                self._met_by_others.append((row, frozenset(one.leaders)))

    @cached_property
    def _setting(self) -> ArticleSetting:
        """What all mentions of the article share."""
        opening = "\n".join(part.normal.text[:TOPICAL] for part in self.parts)
        return article_setting(
            self.article, self.registry, self.focus, title=self._title(), label=self._label, opening=opening
        )

    def _title(self) -> str:
        return self.parts[0].normal.text if self.parts[0].field == "title" else ""

    @cached_property
    def _label(self) -> str:
        """The kind of label in the headline ("history", "check", "opinion", ...), '' if there is none."""
        said = label(self._title())
        return said.name if said is not None else ""


def _because(why: str, contact: Contact) -> str:
    """The reason for a contact's status, as text for people: the words, or the tense of its verb."""
    if why == contact.frame.name:
        return "by the pattern"
    if why != contact.trigger.tense:
        return f"for {why!r}"
    return "no word says otherwise" if why in ("noun", "plural") else "by the tense of its verb"


def _case(text: str) -> tuple[bool, bool]:
    """Whether most words start with a capital (a headline in title case), and whether no letter is a capital."""
    longer = [word for word in text[:400].split() if len(word) > 3 and word[0].isalpha()]
    capitals = sum(word[0].isupper() for word in longer)
    return len(longer) >= 4 and capitals > 0.8 * len(longer), text == text.lower()

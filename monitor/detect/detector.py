"""Detection of one article, from its text to its mentions. Pure.

`Detector` first scans the article for names and triggers, which rejects most articles. `_ArticleReading` then takes an
article through the steps: sentences, persons, items (`rules/rows.py`), frames (`rules/contacts.py`), status cues, and
time, place and forum of each contact. `merge.py` makes the mentions of the rules from all contacts found. The learned
reader judges each pair of leaders, and `witnesses.py` combines both results.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from datetime import date, datetime, timedelta
from typing import Any, Self

import msgspec

from monitor.detect.appeals import Appeal, appeal_of, as_appealed, as_labelled, asked_apart, asked_to_meet
from monitor.detect.crowds import outcries, unlike_crowds
from monitor.detect.dating import Opening, dated
from monitor.detect.merge import ArticleSetting, FoundContact, merged
from monitor.detect.people.finder import People
from monitor.detect.people.gazetteer import Gazetteer, NameHit
from monitor.detect.people.offices import DESIGNATE, Focus, Registry
from monitor.detect.people.official_voices import Speakers
from monitor.detect.people.person import Person
from monitor.detect.reader.evidence import TRIES, telling_words
from monitor.detect.reader.opinion import Pair
from monitor.detect.reader.passage import Passage, SeenLeader, Word, fields_of
from monitor.detect.reader.reader import Reader, Reads
from monitor.detect.reader_mentions import evidence_of, reader_mention
from monitor.detect.rules.contacts import SOMEBODY_ELSE, Contact, Rejection, find_contacts, told_apart
from monitor.detect.rules.rows import MAX_TOKENS, Row, read_row
from monitor.detect.rules.status_cues import find_cues, status_of
from monitor.detect.rules.surroundings import Surroundings, facts_of
from monitor.detect.setting.time_zones import local_time
from monitor.detect.text.news_layout import furniture, label, sentences
from monitor.detect.text.normal import NormalText, fold, normalise
from monitor.detect.text.tokens import Token, split_at, tokenize
from monitor.detect.trips import called_off, without_the_plan
from monitor.detect.vocabulary.language import Language, bundled_languages
from monitor.detect.witnesses import About, hear, words_told
from monitor.language.identify import identify
from monitor.records import Article, Field, Kind, Medium, Mention, Source, Status, When, utc
from monitor.watchlist import Watchlist, bundled

#: Sentences of the summary and of the text that are read: news puts what matters first (inverted pyramid).
MAX_SENTENCES = 40
#: Code points of each field that are read; these hold more than MAX_SENTENCES sentences.
MAX_READ = 10_000
EXCERPT = 1_500
#: Code points at the beginning of an official readout in which a remote medium is looked for.
OPENING = 600
#: Code points of a title in which a label such as "Opinion" may stand.
LABEL = 120
#: Code points of each field in which topics are looked for.
TOPICAL = 1_000

_DAY = timedelta(days=1)
#: Number of sentences in which time and place of a contact that only the reader found are looked for.
_TELLING = 3
_PUT_OFF = frozenset({"postponed", "rescheduled", "cancelled", "denied"})
_FIELDS: tuple[Field, ...] = ("title", "summary", "text")


class Part(msgspec.Struct, frozen=True):
    """One field of the article, normalised, with the names in it."""

    field: Field
    normal: NormalText
    folded: str
    hits: tuple[NameHit, ...]


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


class Detector:
    """Finds what an article says about contacts between the watchlist's leaders.

    `languages` defaults to all bundled ones. With `rules_only` the reader is not used, which is for training it and for
    comparing both. Threads may share an instance: what it builds at the first article of a language does not depend on
    the article.

    Raises DataFileError when a data file or the reader's model is missing or damaged.
    """

    def __init__(
        self,
        watchlist: Watchlist | None = None,
        languages: Mapping[str, Language] | None = None,
        *,
        reader: Reads | None = None,
        rules_only: bool = False,
    ) -> None:
        self._reader: Reads | None = None if rules_only else reader or Reader()
        self._watchlist = bundled() if watchlist is None else watchlist
        self._languages = dict(bundled_languages() if languages is None else languages)
        titles = dict.fromkeys(self._watchlist.titles, 1)
        titles |= {word: 1 for state in self._watchlist.states.values() for word in state.titles}
        for language in self._languages.values():
            titles |= dict.fromkeys(language.title_words, 2)  # plurals, and words that bring in one more leader
        self._gazetteer = Gazetteer(
            self._watchlist,
            titles,
            {word: hosted for language in self._languages.values() for word, hosted in language.gate.items()},
            "".join(language.clitics for language in self._languages.values()),
        )
        self._speakers = Speakers(self._watchlist)
        self._registries: dict[str, Registry] = {}
        trips = sorted({word for language in self._languages.values() for word in language.trip_gate})
        self._trips = re.compile("|".join(trips) or r"(?!)")

    def hearing(self, reader: Reads | None) -> Self:
        """Return a copy that uses another reader, or none, with the same watchlist and languages. Takes no time."""
        other = copy(self)
        other._reader = reader  # noqa: SLF001  # it is a copy of this one
        return other

    def warm_up(self) -> None:
        """Build now what would be built at the first article of each language (20 ms for a language)."""
        for code, language in self._languages.items():
            language.compile()
            self._registry(code)

    def _registry(self, code: str) -> Registry:
        if code not in self._registries:
            self._registries[code] = Registry(self._watchlist, self._languages[code])
        return self._registries[code]

    def detect(self, article: Article, *, now: datetime | None = None) -> tuple[Mention, ...]:
        """Return the mentions of one article, in the order of the text. Never raises, whatever the article holds.

        `now` replaces a missing publication date. Without either, no dates are read, and the offices are those of the
        last day on which most of the named leaders were in office.
        """
        return self.explain(article, now=now, lean=True).mentions

    def explain(self, article: Article, *, now: datetime | None = None, lean: bool = False) -> Explanation:
        """Detect, and return everything that was seen on the way; `lean` returns only outcome and mentions."""
        reading = self._reading(article, now)
        if isinstance(reading, str):
            return Explanation(article_id=article.id, language=article.language, outcome=reading)
        return reading.explanation(self._reader, lean=lean)

    def witnessed(self, article: Article) -> tuple[Passage, tuple[Mention, ...]]:
        """Return the passage for the reader, and the mentions that the rules find alone: for training the reader."""
        reading = self._reading(article, None)
        if isinstance(reading, str):
            return Passage("", (), ()), ()
        mentions = reading.rule_mentions()
        return reading.passage(), mentions

    def _reading(self, article: Article, now: datetime | None) -> _ArticleReading | str:
        """The article, ready for the steps; or the reason why it can't report a contact."""
        parts, people, triggers, hosted = self._parts(article)
        if not people:
            return "no leader is named" if triggers else "no word of a meeting or a call"
        moment = article.published or now or article.seen
        moment = local_time(utc(moment), article.country) if moment is not None else None
        day = moment.date() if moment is not None else self._latest_day(parts)
        speaker = self._speakers.speaker(article, day)
        if people + bool(speaker) + hosted < 2 and not self._tells_of_a_trip(parts):
            return "fewer than two leaders can be meant" if triggers else "no word of a meeting or a call"
        code = self._code(article, parts)
        language = self._languages.get(code)
        if language is None:
            return f"no language file for {code!r}"
        home = self._speakers.home(article, speaker, day)
        return _ArticleReading(self._registry(code), article, parts, moment=moment, day=day, speaker=speaker, home=home)

    def _tells_of_a_trip(self, parts: list[Part]) -> bool:
        """Whether the headline may cancel a trip: then the leader of the visited state need not be named."""
        return parts[0].field == "title" and self._trips.search(parts[0].folded) is not None

    def _latest_day(self, parts: list[Part]) -> date:
        """The last day on which most of the named leaders were in office: the day of an article without a date."""
        found = [one for part in parts for hit in part.hits for one in hit.name.leaders]
        named = {leader for leader, strength in found if strength != "weak"}
        perhaps = {leader for leader, _ in found} - named
        ends = {date.max}
        for one in named | perhaps:
            ends |= {office.to - _DAY for office in self._watchlist.leaders[one].offices if office.to is not None}

        def told(day: date) -> tuple[int, int, date]:
            serving = self._watchlist.serving(day)
            return len(named & serving), len(perhaps & serving), day

        return max(ends, key=told)

    def _code(self, article: Article, parts: list[Part]) -> str:
        """The declared language, unless the text is in a script that this language does not use."""
        opening = " ".join(part.normal.text[:400] for part in parts[:2])
        code = article.language.replace("_", "-").split("-")[0].lower()
        language = self._languages.get(code)
        if not code or (language is not None and not language.is_written_in(opening)):
            return self._identified(opening)
        return code

    def _identified(self, opening: str) -> str:
        """The language of an opening. The model misjudges short headlines of names, so trigger words decide there."""
        code = identify(opening)
        words = [token.text for token in tokenize(opening, fold(opening), 0, len(opening))]
        likely = self._languages.get(code)
        if likely is not None and likely.is_written_in(opening) and likely.count_triggers(words):
            return code  # no other language is asked, since the words of each must be compiled for that
        told = {one.code: one.count_triggers(words) for one in self._languages.values() if one.is_written_in(opening)}
        return max(sorted(told), key=lambda one: told[one]) if any(told.values()) else code

    def _parts(self, article: Article) -> tuple[list[Part], int, int, bool]:
        parts: list[Part] = []
        people = triggers = 0
        hosted = False
        for field, given in (("title", article.title), ("summary", article.summary), ("text", article.text)):
            if not given:
                continue
            normal = normalise(given[:MAX_READ])
            folded = fold(normal.text)
            scan = self._gazetteer.scan(folded)
            people += scan.people
            triggers += scan.triggers
            hosted = hosted or scan.hosted
            parts.append(Part(field, normal, folded, scan.hits))  # type: ignore[arg-type]
        return parts, people, triggers, hosted


class _ArticleReading:
    """One article on its way through the steps of detection."""

    def __init__(
        self,
        registry: Registry,
        article: Article,
        parts: list[Part],
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
        self.opening = Opening(self.language, moment)
        self.seen: list[SeenLeader] = []
        self.rows: list[tuple[Part, Row]] = []
        self._shared: ArticleSetting | None = None
        self._appeals: list[Appeal] = []
        #: Sentences that say that someone else (an envoy, an aide) meets a leader, with that leader.
        self._met_by_others: list[tuple[Row, frozenset[str]]] = []

    def rule_mentions(self) -> tuple[Mention, ...]:
        """Return the mentions of the rules. Call it once: it reads the article."""
        findings = [self._own_words(finding) for part in self.parts for finding in self._read(part)]
        mentions = merged(findings, self._setting()) if findings else ()
        return tuple(dated(one, self.opening) for one in mentions)

    def passage(self) -> Passage:
        """Return the article in the form that the reader takes. Call `rule_mentions` first."""
        fields = fields_of([(part.field, part.normal.text) for part in self.parts])
        return Passage(self.language.code, fields, tuple(self.seen), self.focus.speaker)

    def explanation(self, reader: Reads | None, *, lean: bool) -> Explanation:
        mentions = self.rule_mentions()
        if reader is not None:
            mentions = self._heard(reader, mentions)
        found = [one for part, row in self.rows for one in outcries(row, part.field, self.language)]
        cried = [unlike_crowds(one, found) for one in mentions]
        self.rejected += [
            (words_told(one), "only an appeal of a crowd, a poll or a picture")
            for one, left in zip(mentions, cried, strict=True)
            if not left
        ]
        asked = [as_appealed(one, self._appeals) for one in cried if one is not None]
        mentions = as_labelled(asked, self._label(), self.focus.day)
        tracked = self.registry.watchlist.tracks
        untracked = [one for one in mentions if not tracked([p.leader for p in one.participants])]
        self.rejected += [(words_told(one), "no watched leader takes part") for one in untracked]
        mentions = tuple(one for one in mentions if one not in untracked)
        for trip in self._called_off(mentions):
            mentions = (*without_the_plan(mentions, trip), trip)
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

    def _called_off(self, found: tuple[Mention, ...]) -> Iterator[Mention]:
        """The mention of a trip that the headline cancels, if no other mention is about it."""
        for part, row in self.rows[:1]:
            if part.field != "title" or not row.tokens:
                continue
            around = Surroundings(part.normal.text, row, self.language, self.moment)
            one = called_off(around, self.language, self._setting(), self.parts, self.focus.day)
            known = {p.leader for mention in found if mention.status in _PUT_OFF for p in mention.participants}
            if one is not None and known.isdisjoint(p.leader for p in one.participants):
                yield one

    def _heard(self, reader: Reads, rules: tuple[Mention, ...]) -> tuple[Mention, ...]:
        """The mentions that remain after the reader's judgement of each pair is combined with the rules' mentions."""
        passage = self.passage()
        read = reader.read(passage)
        found = [{p.leader for p in one.participants} for one in rules]
        opinions = {
            pair: one
            for pair, one in read.items()
            if not self._of_one_state(frozenset(pair))
            and (any(set(pair) <= leaders for leaders in found) or not self._is_dismissed(pair))
        }
        if not opinions:
            return rules

        searched: list[Pair] = []

        def alone(leaders: frozenset[str], status: Status, kind: Kind, medium: Medium) -> Mention | None:
            if not self._in_office(leaders, None) or self._of_one_state(leaders):
                return None
            pair = next(pair for pair in opinions if set(pair) <= leaders)
            words = telling_words(reader, reader.words(passage, pair), 1 if searched else TRIES)
            searched.append(pair)
            around = [
                Surroundings(part.normal.text, row, self.language, self.moment)
                for part, row in self._sentences_of(words, leaders)
            ]
            setting = self._setting()
            return reader_mention(
                leaders, (kind, medium, status), around, evidence_of(words, self.parts, setting), setting
            )

        heard = hear(rules, opinions, About(self.language.code, self.focus.day, reader.fusion), alone)
        self.rejected += heard.rejected
        self.weighed += heard.decisions
        return tuple(dated(one, self.opening) for one in heard.mentions)

    def _is_dismissed(self, pair: Pair) -> bool:
        """Whether the text itself says that the two are not in contact, so that the reader's opinion is not needed."""
        return asked_apart(self._appeals, pair) or self._is_anothers(set(pair))

    def _is_anothers(self, pair: set[str]) -> bool:
        """Whether each sentence that names both says that an envoy or aide meets one of them."""
        both = [row for _, row in self.rows if pair <= {one for item in row.items for one in item.leaders}]
        return bool(both) and all(
            any(row is one and len(pair & leaders) == 1 for one, leaders in self._met_by_others) for row in both
        )

    def _sentences_of(self, words: Sequence[Word], leaders: frozenset[str]) -> list[tuple[Part, Row]]:
        """The sentences that may give time and place: first the one with these words, then those with most leaders."""

        def rank(one: tuple[Part, Row]) -> tuple[bool, int]:
            part, row = one
            start, end = row.tokens[0].start, row.tokens[-1].end
            holds = any(word.field == part.field and start <= word.start < end for word in words)
            return not holds, -len(leaders & {leader for item in row.items for leader in item.leaders})

        return sorted((one for one in self.rows if one[1].tokens), key=rank)[:_TELLING]

    def _read(self, part: Part) -> Iterator[FoundContact]:
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
            self._note_rejected(part, row, rejected)
            self.opening.add(part.field, text, row)
            if subject := next((item.leaders for item in row.items if item.class_ == "LEADER"), ()):
                self.focus.subject = subject
            if not contacts:
                continue
            cues = find_cues(row, self.language)
            around = Surroundings(text, row, self.language, self.moment)
            for contact in contacts:
                verdict = status_of(row, contact, cues)
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
                if self._of_one_state(contact.leaders):
                    self.rejected.append((contact.trigger.name, "all lead the same state"))
                    continue
                if verdict.status == "generic":
                    self.rejected.append((contact.trigger.name, f"no single contact: {verdict.words!r}"))
                    continue
                for one in told_apart(row, contact, facts.medium, self.language, self._of_one_country):
                    yield FoundContact(part.field, part.normal, row, one, verdict, facts)
                for forum in facts.other_forums:
                    elsewhere = msgspec.structs.replace(facts, forum=forum, place=None)
                    yield FoundContact(part.field, part.normal, row, contact, verdict, elsewhere)

    def _in_office(self, leaders: frozenset[str], when: When | None) -> bool:
        """Whether all were in office (or elected) on the article's day or on the day of the contact."""
        return leaders <= self.serving or (when is not None and leaders <= self.registry.serving(when.start))

    def _of_one_state(self, leaders: frozenset[str]) -> bool:
        """Whether all lead the same state or body: a president who meets his prime minister is not a contact."""
        return self._led_by_all(leaders) != ""

    def _of_one_country(self, leaders: frozenset[str]) -> bool:
        """Whether all lead the same state. Bodies such as the EU do not count: their heads receive guests together."""
        state = self.registry.watchlist.states.get(self._led_by_all(leaders))
        return state is not None and state.kind == "state" and not state.joint

    def _led_by_all(self, leaders: frozenset[str]) -> str:
        """Return the code of the state or body that each of them leads, '' when there is none.

        Elected leaders count as in office, because an outgoing leader who calls his successor is not a contact either.
        """
        watchlist, day = self.registry.watchlist, self.focus.day
        soon = min(day, date.max - DESIGNATE) + DESIGNATE
        offices = [watchlist.office_on(one, day) or watchlist.office_on(one, soon) for one in leaders]
        countries = {office.country if office is not None else "" for office in offices}
        return countries.pop() if len(countries) == 1 else ""

    def _own_words(self, finding: FoundContact) -> FoundContact:
        """Fill in what an official readout leaves out: its day, and "in person" when it names no remote medium."""
        facts, speaker = finding.facts, self.focus.speaker
        if facts.status != "held" or not speaker or speaker not in finding.contact.leaders or finding.field != "title":
            return finding
        changes: dict[str, Any] = {}
        if facts.when is None and self.moment is not None:
            changes["when"] = When(start=self.moment.date(), end=self.moment.date())
        if facts.medium == "unknown":
            medium = self._remote_medium()
            changes |= {"medium": medium or "in_person", "kind": "call" if medium else "meeting"}
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

    def _note(self, part: Part, tokens: list[Token], persons: list[Person]) -> None:
        text = part.normal.text
        for person in persons:
            if not person.leaders and self.language.lexicon.longest([tokens[person.first].text], 0):
                continue  # "Friday" can be a name, but is mostly a day
            words = text[tokens[person.first].start : tokens[person.last - 1].end]
            self.persons.append((words, " + ".join(person.leaders) or person.reason))

    def _note_rejected(self, part: Part, row: Row, rejected: list[Rejection]) -> None:
        text = part.normal.text
        for one in rejected:
            item = row.items[one.at]
            words = text[row.tokens[item.first].start : row.tokens[item.last - 1].end]
            self.rejected.append((words, one.reason))
            if one.reason == SOMEBODY_ELSE:
                self._met_by_others.append((row, frozenset(one.leaders)))

    def _setting(self) -> ArticleSetting:
        """What all mentions of the article share; made once."""
        if self._shared is None:
            self._shared = self._made_setting()
        return self._shared

    def _made_setting(self) -> ArticleSetting:
        article = self.article
        excerpt = "\n".join(piece for piece in (article.title, article.summary, article.text[:EXCERPT]) if piece)
        source = Source(
            article_id=article.id, title=article.title, url=article.url, outlet=article.outlet,
            publisher=article.publisher, country=article.country, official=article.official or bool(self.focus.speaker),
            speaks_for=article.speaks_for, language=self.language.code, published=article.published, seen=article.seen,
            revision=article.revision, backfill=article.backfill, excerpt=excerpt[:EXCERPT],
        )  # fmt: skip
        opening = "\n".join(part.normal.text[:TOPICAL] for part in self.parts)
        title = self._title()
        words = [token.text for token in tokenize(title, fold(title), 0, min(len(title), LABEL))[:8]]
        labelled = self.language.opinion.longest(words, 0) if words else None
        own_label = labelled is not None and labelled[0] < len(words) and words[labelled[0]] in ":|-—."
        return ArticleSetting(
            article, self.registry.watchlist, self.focus.day, self.language.code, source,
            topics=self.language.topics.find(opening), speaker=self.focus.speaker,
            opinion=own_label or self._label() in ("opinion", "analysis", "check"),
        )  # fmt: skip

    def _title(self) -> str:
        return self.parts[0].normal.text if self.parts[0].field == "title" else ""

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

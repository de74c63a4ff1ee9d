"""Detection of one article, from its text to its mentions. Pure.

`Detector` scans the article for names and triggers, which rejects most articles, and decides its day, language and
speaker. `article_reading.py` then takes it through the other steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import copy
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Self

import ahocorasick

from monitor.detect.article_reading import ArticleField, ArticleReading
from monitor.detect.explain import Explanation
from monitor.detect.people.gazetteer import Gazetteer
from monitor.detect.people.offices import OfficeRegistry
from monitor.detect.people.official_voices import Speakers
from monitor.detect.reader.passage import Passage
from monitor.detect.reader.reader import PairReader, Reader
from monitor.detect.setting.time_zones import local_time
from monitor.detect.text.normal import fold, normalise
from monitor.detect.text.tokens import tokenize
from monitor.detect.vocabulary.language import Language, bundled_languages
from monitor.language.identify import identify
from monitor.records import Article, Mention, utc
from monitor.watchlist import Watchlist, bundled

#: Code points of each field that are read; these hold more than the sentences that are read.
MAX_READ = 10_000

_DAY = timedelta(days=1)


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
        reader: PairReader | None = None,
        rules_only: bool = False,
    ) -> None:
        self._reader: PairReader | None = None if rules_only else reader or Reader()
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
        self._registries: dict[str, OfficeRegistry] = {}

    def with_reader(self, reader: PairReader | None) -> Self:
        """Return a copy that uses another reader, or none, with the same watchlist and languages. Takes no time."""
        other = copy(self)
        other._reader = reader  # noqa: SLF001  # it is a copy of this one
        return other

    def warm_up(self) -> None:
        """Build now what would be built at the first article of each language (20 ms for a language)."""
        for code, language in self._languages.items():
            language.compile()
            self._registry(code)
        self._gazetteer.complete()
        self._trips  # noqa: B018  # makes it

    @cached_property
    def _trips(self) -> tuple[Any, re.Pattern[str]]:
        """The words with which any language cancels a trip: an automaton, and an expression for the headline's end."""
        gates = [language.trip_gate for language in self._languages.values()]
        automaton = ahocorasick.Automaton()
        for word in frozenset().union(*(anywhere for anywhere, _ in gates)):
            automaton.add_word(word, word)
        automaton.make_automaton()
        ends = "|".join(map(re.escape, sorted(frozenset().union(*(end for _, end in gates)))))
        return automaton, re.compile(rf"\s(?:{ends or '(?!)'})\W*$")

    def _registry(self, code: str) -> OfficeRegistry:
        if code not in self._registries:
            self._registries[code] = OfficeRegistry(self._watchlist, self._languages[code])
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

    def reader_input(self, article: Article) -> tuple[Passage, tuple[Mention, ...]]:
        """Return the passage for the reader, and the mentions that the rules find alone: for training the reader."""
        reading = self._reading(article, None)
        if isinstance(reading, str):
            return Passage("", (), ()), ()
        mentions = reading.rule_mentions()
        return reading.passage(), mentions

    def _reading(self, article: Article, now: datetime | None) -> ArticleReading | str:
        """The article, ready for the steps; or the reason why it can't report a contact."""
        parts, people, triggers, hosted = self._parts(article)
        if not people:
            return "no leader is named" if triggers else "no word of a meeting or a call"
        moment = article.published or now or article.seen
        moment = local_time(utc(moment), article.country) if moment is not None else None
        day = moment.date() if moment is not None else self._latest_day(parts)
        speaker = self._speakers.speaker(article, day)
        if people + bool(speaker) + hosted < 2 and not self._may_cancel_a_trip(parts):
            return "fewer than two leaders can be meant" if triggers else "no word of a meeting or a call"
        code = self._code(article, parts)
        language = self._languages.get(code)
        if language is None:
            return f"no language file for {code!r}"
        home = self._speakers.home(article, speaker, day)
        return ArticleReading(self._registry(code), article, parts, moment=moment, day=day, speaker=speaker, home=home)

    def _may_cancel_a_trip(self, parts: list[ArticleField]) -> bool:
        """Whether the headline may cancel a trip: then the leader of the visited state need not be named."""
        if parts[0].field != "title":
            return False
        title, (words, ends) = parts[0].folded, self._trips
        return (len(words) > 0 and next(words.iter(title), None) is not None) or ends.search(title) is not None

    def _latest_day(self, parts: list[ArticleField]) -> date:
        """The last day on which most of the named leaders were in office: the day of an article without a date."""
        found = [one for part in parts for hit in part.hits for one in hit.name.leaders]
        named = {leader for leader, strength in found if strength != "weak"}
        perhaps = {leader for leader, _ in found} - named
        ends = {date.max}
        for one in named | perhaps:
            ends |= {office.to - _DAY for office in self._watchlist.leaders[one].offices if office.to is not None}

        def rank(day: date) -> tuple[int, int, date]:
            serving = self._watchlist.serving(day)
            return len(named & serving), len(perhaps & serving), day

        return max(ends, key=rank)

    def _code(self, article: Article, parts: list[ArticleField]) -> str:
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
        counts = {one.code: one.count_triggers(words) for one in self._languages.values() if one.is_written_in(opening)}
        return max(sorted(counts), key=lambda one: counts[one]) if any(counts.values()) else code

    def _parts(self, article: Article) -> tuple[list[ArticleField], int, int, bool]:
        parts: list[ArticleField] = []
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
            parts.append(ArticleField(field, normal, folded, scan.hits))  # type: ignore[arg-type]
        return parts, people, triggers, hosted

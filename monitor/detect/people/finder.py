"""Finds who is meant by noun phrases with names, titles and states: leaders in office on the article's day.

A phrase is a run of states, titles and modifiers, with or without a name: "Kazakh President Tokayev", "the premier of
India", "China's Xi", "his Turkish counterpart", "the two leaders". Former and future office holders, deputies,
relatives, envoys and namesakes become persons who are not leaders, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from monitor.detect.people.gazetteer import NameHit
from monitor.detect.people.named_sentence import Sentence
from monitor.detect.people.offices import Focus, OfficeRegistry, TitlePhrase
from monitor.detect.people.person import Person, supported
from monitor.detect.people.title_phrases import TitlePhrases
from monitor.detect.setting.where import place_names as places
from monitor.detect.text.news_layout import layout
from monitor.detect.text.scripts import script_of
from monitor.detect.text.tokens import POSSESSIVES, Token, is_glued
from monitor.detect.vocabulary.frame_shapes import ItemClass
from monitor.watchlist import Leader, Strength

#: Characters of a foreign name in a script without spaces, at most.
_GLUED_NAME = 6
#: Classes of words after which a leader is known to act.
_VERBS: frozenset[ItemClass] = frozenset({"aux", "have", "say", "travel", "control", "support", "adv"})
#: Given names and initials between a title and a surname, at most.
_GIVEN_NAMES = 4
#: Tokens in brackets after a name, such as its spelling in another script, at most.
_GLOSS = 8
#: Tokens behind a verb of refusal in which the noun of the refused contact begins.
_OBJECT = 3
#: Tokens of a place's name, at most.
_PLACE_NAME = 3


class People:
    """Finds the persons of one sentence after another, and records them in the article's focus."""

    def __init__(self, registry: OfficeRegistry, focus: Focus) -> None:
        self._registry = registry
        self._language = registry.language
        self._focus = focus
        self._phrases = TitlePhrases(registry, focus)

    def read(
        self, tokens: Sequence[Token], hits: Sequence[NameHit], *, title_case: bool, lower_case: bool
    ) -> list[Person]:
        """Return the persons of one sentence, in order and without overlaps."""
        sentence = Sentence(tokens, hits, title_case=title_case, lower_case=lower_case)
        found: list[Person] = []
        at = 0
        while at < len(tokens):
            known = sentence.words[at] in self._registry.starts or sentence.name_at(at) is not None
            person = self._phrase(sentence, at) if known else None
            if person is None:
                at += 1
                continue
            person = self._with_head(sentence, person)
            found.append(person)
            if person.leaders:
                self._focus.see(person.leaders)
            at = person.last
        return supported(sentence, found, self._language, self._at_home)

    def _at_home(self, s: Sentence) -> frozenset[str]:
        """Return the leaders of the states that a sentence names, also by a town: "in Pyongyang"."""
        names = places()
        starts = [at for at in range(len(s.words)) if s.is_capital(at)]
        spans = {" ".join(s.words[at : at + size]) for at in starts for size in range(1, _PLACE_NAME + 1)}
        codes = {named.place.country for span in spans if (named := names.lookup(span)) is not None}
        holders = (self._registry.holder(code, "leader", self._focus.day) for code in sorted(codes))
        return frozenset(one.id for one in holders if one is not None)

    # One noun phrase -------------------------------------------------------------------------------------------------

    def _phrase(self, s: Sentence, at: int) -> Person | None:
        group = self._union(s, at) or self._group(s, at)
        if group is not None:
            return group
        run = self._phrases.read(s, at)
        start = run.end if run is not None else at
        hit = s.name_at(start)
        if hit is None and run is None and (polite := self._language.honorifics.longest(s.words, at)) is not None:
            named = s.name_at(polite[0]) if polite[0] < len(s.words) else None
            return self._honoured(s, at, polite[0], named) if named is not None else None
        if hit is None and run is not None and run.titles and s.is_comma(start):
            hit = self._apposition(s, start + 1, run) if run.states or self._definite(s, at) else None
            start += 1
        if hit is not None and not (
            run is not None and run.owned and not run.titles and s.tokens[at].text in POSSESSIVES
        ):
            person = self._named(s, at, start, hit, run)
            if person is not None or s.is_capital(start):
                return person
        if run is None or not run.titles:
            return None
        return self._untitled(s, at, run)

    def _honoured(self, s: Sentence, at: int, start: int, hit: NameHit) -> Person | None:
        """A name after "Mr" or "Sir", where a surname alone counts."""
        person = self._named(s, at, start, hit, None)
        return person._replace(first=at, strong=True) if person is not None and person.leaders else person

    def _apposition(self, s: Sentence, at: int, run: TitlePhrase) -> NameHit | None:
        """The name after a title's comma, if it can be the office holder's: "the Turkish president, Recep ..."."""
        hit = s.name_at(at)
        day = self._focus.day
        if hit is None or not any(self._registry.holds(one, run.titles, day) for one, _ in hit.name.leaders):
            return None
        if run.states and not self._registry.resolve(hit.name, run, self._focus)[0]:
            return None  # "the Ukrainian president, Emmanuel Macron and ...": a list
        return hit

    def _named(
        self, s: Sentence, at: int, start: int, hit: NameHit, run: TitlePhrase | None, *, titled: bool = False
    ) -> Person | None:
        if hit.name.namesake:
            return Person(at, s.after(hit), (), "a namesake")
        if not hit.name.leaders and not hit.name.phrases:
            return None
        last = s.after(hit)
        if not hit.name.leaders and (named := s.name_at(last)) is not None and named.name.leaders:
            return self._named(s, at, last, named, run, titled=True)  # "European Council President Antonio Costa"
        former = run is not None and run.former
        if run is not None and run.other and not self._is_minister(hit):
            return Person(at, last, (), "a lower title")
        if former:
            return Person(at, last, (), "a former office holder")
        leader, strength, reason = self._registry.resolve(hit.name, run, self._focus)
        if not leader:
            common = run is None and (
                self._language.common.longest(s.words, start) is not None
                or self._word(s, start)
                or self._phrases.is_other_now(s, start)
            )
            return None if common else Person(at, last, (), reason)
        if strength != "full":
            bare = not titled and (run is None or not (run.states or run.titles))
            if bare and self._given_name_before(s, start):
                return Person(at, last, (), "another first name")
            if self._surname_goes_on(s, last, strength):
                return Person(at, last, (), "part of a longer name")
        if strength != "full" and run is None:
            at = self._initials(s, at)
        last = self._skip_state_behind(s, self._skip_title_behind(s, _behind_gloss(s, last), leader), leader)
        strong = strength != "weak" or titled or (run is not None and bool(run.states or run.titles))
        return Person(at, last, (leader,), strong=strong or leader in self._focus.named, owner=s.is_owner(last))

    def _untitled(self, s: Sentence, at: int, run: TitlePhrase) -> Person | None:
        """A title without a known name: the office holder, or nobody if another name follows."""
        if run.other:
            return Person(at, run.end, (), "a lower title")
        if run.former:
            return Person(at, run.end, (), "a former office holder")
        day = self._focus.day
        if day == date.max:
            return Person(at, run.end, (), "the article has no date, so the office holder is unknown")
        holders = [self._registry.holder(state, run.titles[-1], day) for state in run.states]
        if s.is_capital(run.end) and s.spaced(run.end) and not s.title_case and not self._phrases.knows(s, run.end):
            last = self._behind_name(s, run.end)
            behind = s.name_at(last)
            alone = holders[0] if len(holders) == 1 else None
            if alone is None:
                return self._other_given_name(s, at, run) or Person(
                    at, run.end + 1, (), "somebody else with that title"
                )
            if behind is not None and any(one == alone.id for one, _ in behind.name.leaders):
                last = s.after(behind)  # a given name that the roster spells differently
            elif s.words[run.end] in self._registry.given_names(alone):
                last = run.end + 1  # a truncated text: "German Chancellor Angela"
            elif self._registry.is_spelt(alone) or not self._focus.dated:
                return Person(at, run.end + 1, (), "somebody else with that title")
            return Person(at, last, (alone.id,), owner=s.is_owner(last))
        if run.states:
            ids = tuple(dict.fromkeys(one.id for one in holders if one is not None))
            alone = holders[0] if len(holders) == 1 else None
            if alone is not None and not run.plural and not self._registry.is_spelt(alone):
                last = self._behind_name(s, run.end)
                if last > run.end and not self._focus.dated:
                    return Person(at, last, (), "the article has no date, so the office holder is unknown")
                return Person(at, last, ids, owner=s.is_owner(last))
            if not ids or (run.plural and len(ids) < 2):
                return Person(at, run.end, (), "no tracked leader holds that office")
            return Person(at, run.end, ids, owner=s.is_owner(run.end))
        return self._bare_title(s, at, run)

    def _bare_title(self, s: Sentence, at: int, run: TitlePhrase) -> Person | None:
        """A title alone: a unique office ("the pope"), or the last named leader with that title ("the president")."""
        day = self._focus.day
        phrase = self._registry.alone.get(run.titles[-1])
        if phrase is not None and (only := self._registry.watchlist.holder_of_phrase(phrase, day)) is not None:
            return Person(at, run.end, (only.id,), owner=s.is_owner(run.end))
        if (
            at == 0
            and self._focus.home
            and self._focus.headline
            and not run.plural
            and not self._capital_behind(s, run.end)
        ):
            own = self._registry.holder(
                self._focus.home, run.titles[-1], day
            )  # "PM meets ..." in a newspaper of that country
            return Person(at, run.end, (own.id,), owner=s.is_owner(run.end)) if own is not None else None
        if run.plural or not self._means_one(s, at, run.end):
            return None
        for leader in reversed(self._focus.seen):
            if self._registry.holds(leader, run.titles, day):
                return Person(at, run.end, (leader,), owner=s.is_owner(run.end), linked="title")
        return None

    def _other_given_name(self, s: Sentence, at: int, run: TitlePhrase) -> Person | None:
        """A leader with a title and more given names than in the roster: "President Ferdinand R. Marcos"."""
        for last in range(run.end, min(run.end + _GIVEN_NAMES + 1, len(s.words))):
            hit = s.name_at(last)
            if hit is not None and s.is_capital(last) and hit.name.leaders:
                leader, _, _ = self._registry.resolve(hit.name, run, self._focus)
                if leader and self._registry.holds(leader, run.titles, self._focus.day):
                    end = self._skip_state_behind(s, s.after(hit), leader)
                    return Person(at, end, (leader,), owner=s.is_owner(end))
            initial = s.words[last] == "." and len(s.words[last - 1]) == 1
            if not (initial or (s.is_capital(last) and (hit is not None or not self._phrases.knows(s, last)))):
                return None
        return None

    def _capital_behind(self, s: Sentence, at: int) -> bool:
        return s.is_capital(at) and s.spaced(at) and not s.title_case and not self._phrases.knows(s, at)

    def _union(self, s: Sentence, at: int) -> Person | None:
        """The leaders of states that are written as joined letters."""
        found = self._phrases.letters(s, at) if self._focus.day != date.max else None
        holders = [self._registry.holder(state, "leader", self._focus.day) for state in found[1]] if found else []
        if found is None or None in holders:
            return None
        last = self._title_end(s, found[0])
        return Person(at, last, tuple(one.id for one in holders if one is not None), owner=s.is_owner(last))

    def _group(self, s: Sentence, at: int) -> Person | None:
        """Groups and relations: "the two leaders", "his Turkish counterpart", "European leaders"."""
        found = self._language.roles.longest(s.words, at)
        role = found[1][0][0] if found else ""
        if found and role == "both":
            named = [one for one in self._focus.seen if one in self._focus.candidates or one == self._focus.speaker]
            bare = self._language.both_bare.longest(s.words, at) == (found[0], [True])
            if len(named) == int(found[1][0][1] or 2) and (not bare or self._acts(s, found[0])):
                return Person(at, found[0], tuple(named), owner=s.is_owner(found[0]), linked="both")
            return None
        if found and role == "others":
            return Person(at, found[0], (), others=True)
        state = self._registry.states.longest(s.words, at)
        behind = self._language.roles.longest(s.words, state[0]) if state and state[0] < len(s.words) else None
        if self._language.state_behind_title and found and role == "counterpart":
            state = self._registry.states.longest(s.words, found[0]) if found[0] < len(s.words) else None
            last = state[0] if state is not None else at
        else:
            last = behind[0] if behind is not None and behind[1][0][0] == "counterpart" else at
        if state is None or last == at:
            return None
        own = self._language.lexicon.longest(s.words, last) if last < len(s.words) else None
        last = own[0] if own is not None and "own" in own[1] else last  # "his Turkish counterpart" with "his" behind
        name = s.name_at(last) or (s.name_at(last + 1) if s.is_comma(last) else None)
        if name is not None and name.name.leaders:
            leader, _, reason = self._registry.resolve(name.name, None, self._focus)
            return Person(at, s.after(name), (leader,) if leader else (), reason, owner=s.is_owner(s.after(name)))
        if s.is_capital(last) and s.spaced(last) and not s.title_case and not self._phrases.knows(s, last):
            return Person(at, last + 1, (), "somebody else with that title")
        holder = self._counterpart(state[1][0][0])
        if holder is None:
            return Person(at, last, (), "no tracked leader holds that office")
        return Person(at, last, (holder.id,), owner=s.is_owner(last), linked="counterpart")

    def _counterpart(self, state: str) -> Leader | None:
        """The leader meant by "his Russian counterpart": of a premier the premier, even where a president leads."""
        day = self._focus.day
        leader = self._registry.holder(state, "leader", day)
        last = self._focus.seen[-1] if self._focus.seen else ""
        own = self._registry.watchlist.office_on(last, day) if last else None
        if own is None or own.role == "minister":
            return leader
        first = self._registry.holder(own.country, "leader", day)
        if first is None or first.id == last:
            return leader
        return next(iter(self._registry.watchlist.holders(state, own.role, day)), leader)

    # What stands around a name ---------------------------------------------------------------------------------------

    def _with_head(self, s: Sentence, person: Person) -> Person:
        """The person after looking for a head noun: "Putin's special envoy" and "Trump aide" are somebody else."""
        if not person.leaders and not person.others:
            return person
        if self._under_head(s, person.first):
            return Person(person.first, person.last, (), "an aide or envoy of the leader")
        if self._is_a_country(s, person):
            return Person(person.first, person.last, (), "the country, not its leader")
        suffix = self._suffix(s, person.last)
        limit = 3 if person.owner or suffix else 0
        at = person.last + (1 if person.owner else suffix)
        for step in range(limit + 1):
            if at + step >= len(s.words):
                break
            found = self._language.roles.longest(s.words, at + step)
            if found and any(kind == "head" for kind, _ in found[1]) and (step or not self._is_cue(s, at, found[0])):
                if not step and (voice := self._speaks_for(s, person, at)) is not None:
                    return voice
                return Person(person.first, found[0], (), f"{s.words[found[0] - 1]} of the leader")
            if person.owner and (s.words[at + step] in ",.;:-" or s.name_at(at + step) or self._verbal(s, at + step)):
                break
        return person

    def _speaks_for(self, s: Sentence, person: Person, at: int) -> Person | None:
        """The leader, if the head at `at` only says what the leader says: "Noboa's office says he met Mulino"."""
        voice = self._language.voices.longest(s.words, at)
        if voice is None or len(person.leaders) != 1 or s.is_owner(voice[0]):
            return None
        last = voice[0]
        says = last < len(s.words) and (s.words[last] == ":" or self._is_class(s, last, "say"))
        before = any(
            (found := self._language.lexicon.longest(s.words, start)) is not None
            and found[0] == person.first
            and "say" in found[1]
            for start in range(max(0, person.first - 2), person.first)
        )
        return person._replace(last=last, owner=False) if says or before or self._refuses(s, last) else None

    def _refuses(self, s: Sentence, at: int) -> bool:
        """Whether a word that denies or refuses a contact follows: "rules out talks", but not "denies a rift"."""
        cue = self._language.cues.longest(s.words, at) if at < len(s.words) else None
        if cue is None or not any(one.of.status == "denied" for one in cue[1]):
            return False
        near = range(cue[0], min(cue[0] + _OBJECT, len(s.words)))
        found = (self._language.lexicon.longest(s.words, start) for start in near)
        return any(one is not None and any(not isinstance(sense, str) for sense in one[1]) for one in found)

    def _is_a_country(self, s: Sentence, person: Person) -> bool:
        """Whether a name only says whose country is meant: "la Argentina de Milei", "l'Italia di Meloni"."""
        at = person.first - 1
        if at < 2 or not self._is_class(s, at, "of"):
            return False
        for start in range(max(1, at - 4), at):
            state = self._registry.states.longest(s.words, start)
            if (
                state is not None
                and state[0] == at
                and any(self._is_class(s, place, "the", "to", "of") for place in range(max(0, start - 2), start))
            ):
                offices = self._registry.watchlist.offices_on(person.leaders[0], self._focus.day)
                return any(office.country == state[1][0][0] for office in offices)
        return False

    def _is_class(self, s: Sentence, at: int, *names: str) -> bool:
        """Whether the words at a token have one of these classes, and end there or one token later."""
        found = self._language.lexicon.longest(s.words, at)
        return found is not None and any(one in names for one in found[1])

    def _suffix(self, s: Sentence, at: int) -> int:
        """The number of tokens of a suffix after an apostrophe that makes the name an owner: "Putin'in"."""
        written = s.words[at : at + 1] == ["'"] and not s.spaced(at) and at + 1 < len(s.words)
        return 2 if written and self._is_class(s, at + 1, "gen") else 0

    def _is_cue(self, s: Sentence, at: int, last: int) -> bool:
        """Whether a head is part of a longer cue: "Putin and Xi plan to meet"."""
        cue = self._language.cues.longest(s.words, at)
        return cue is not None and cue[0] > last

    def _under_head(self, s: Sentence, at: int) -> bool:
        """Whether a head noun or "on behalf of" comes right before the name: "помощник Путина"."""
        return any(
            (found := phrases.longest(s.words, start)) is not None and found[0] == at
            for phrases in (self._language.leading_heads, self._language.instead_of)
            for start in range(max(0, at - 4), at)
        )

    def _verbal(self, s: Sentence, at: int) -> bool:
        found = self._language.lexicon.longest(s.words, at)
        return found is not None

    def _behind_name(self, s: Sentence, at: int) -> int:
        """The token after a name that the roster does not have in this script: up to three capitalised words.

        In scripts without spaces the name goes up to the next known word, within a limit.
        """
        last = at
        while last < len(s.words) and not self._phrases.knows(s, last):
            glued = is_glued(s.words[last])
            if not (glued or (s.is_capital(last) and s.spaced(last))) or last - at >= (_GLUED_NAME if glued else 3):
                break
            last += 1
        return last

    def _initials(self, s: Sentence, at: int) -> int:
        """The token at which a name starts with its initials: "V. Putin"."""
        while at > 1 and s.words[at - 1] == "." and len(s.words[at - 2]) == 1 and s.tokens[at - 2].capital:
            at -= 2
        return at

    def _given_name_before(self, s: Sentence, at: int) -> bool:
        before = at - 1
        if before < 0 or not s.tokens[at].spaced or not s.is_capital(before) or not s.words[before].isalpha():
            return False
        if s.words[before] in self._registry.given:
            return not self._phrases.knows(s, before)
        if not s.tokens[before].capital:
            return False  # where no word has a capital, any word may be before a name
        quoted = s.words[before - 1] in "\"'" and s.tokens[before - 1].spaced  # not the end of "News' Raf Sanchez"
        tag = s.words[before - 1] == "#"  # "#BREAKING Putin and ..."
        if before == 0 or s.title_case or quoted or tag or self._phrases.knows(s, before):
            return False
        return not self._is_place(s, before)

    def _is_place(self, s: Sentence, at: int) -> bool:
        """Whether the token is a place after its preposition: "У Парижі Зеленський ..."."""
        found = self._language.lexicon.longest(s.words, at - 1)
        return (
            found is not None
            and ("prep" in found[1] or "during" in found[1])
            and places().lookup(s.words[at]) is not None
        )

    def _surname_goes_on(self, s: Sentence, last: int, strength: Strength) -> bool:
        if strength != "weak" or last >= len(s.words) or not s.spaced(last):
            return False
        if last + 1 == len(s.words) and s.words[last] in layout().sections:
            return False
        if s.words[last + 1 : last + 2] == ["'"] and places().lookup(s.words[last]) is not None:
            return False  # "Ürdün Kralı Abdullah Kahire'de": a place with a case ending
        return s.is_capital(last) and not s.title_case and not self._phrases.knows(s, last)

    def _skip_title_behind(self, s: Sentence, last: int, leader: str) -> int:
        """The token after a title that follows its name: 트럼프 대통령, or with a state between: トランプ米大統領.

        Where a state follows its title, another state's title begins the next phrase: "received X the president of Y".
        """
        if last >= len(s.words) or s.words[last].isascii():
            return last
        if (title := self._title_end(s, last)) > last:
            named = self._state_of_title(s, title) if self._language.state_behind_title else None
            if named is None:
                return title
            own = self._registry.watchlist.offices_on(leader, self._focus.day)
            return named[0] if any(office.country == named[1] for office in own) else last
        state = self._registry.states.longest(s.words, last) if is_glued(s.words[last][0]) else None
        if state is not None and state[0] < len(s.words) and (title := self._title_end(s, state[0])) > state[0]:
            return title
        return last

    def _state_of_title(self, s: Sentence, at: int) -> tuple[int, str] | None:
        """The end and code of the state at a token, perhaps behind "republic of"."""
        if at >= len(s.words):
            return None
        prefix = self._language.roles.longest(s.words, at)
        at = prefix[0] if prefix is not None and prefix[1][0][0] == "state_prefix" else at
        state = self._registry.states.longest(s.words, at) if at < len(s.words) else None
        return (state[0], state[1][0][0]) if state is not None else None

    def _skip_state_behind(self, s: Sentence, last: int, leader: str) -> int:
        """The token after the leader's own state: "President Tokayev of Kazakhstan"."""
        prefix = self._language.roles.longest(s.words, last) if last < len(s.words) else None
        if prefix is None or prefix[1][0][0] != "state_prefix" or prefix[0] >= len(s.words):
            return last
        state = self._registry.states.longest(s.words, prefix[0])
        if state is None or not s.is_capital(prefix[0]):
            return last
        own = self._registry.watchlist.offices_on(leader, self._focus.day)
        return state[0] if any(office.country == state[1][0][0] for office in own) else last

    def _is_minister(self, hit: NameHit) -> bool:
        """Whether the name belongs to a tracked minister: then a minister's title names a leader."""
        offices = (self._registry.watchlist.office_on(one, self._focus.day) for one, _ in hit.name.leaders)
        return any(office is not None and office.role == "minister" for office in offices)

    def _acts(self, s: Sentence, at: int) -> bool:
        """Whether a verb is at the token: "the two met", not "the two countries"."""
        found = self._language.lexicon.longest(s.words, at)
        return found is not None and any(
            one in _VERBS if isinstance(one, str) else one.tense in ("past", "present", "ing") for one in found[1]
        )

    def _word(self, s: Sentence, at: int) -> bool:
        """Whether the token is also a word of the language: "Friday" is a name and a day."""
        return self._language.lexicon.longest(s.words, at) is not None

    def _title_end(self, s: Sentence, at: int) -> int:
        """The token after the title that starts at a token; the token itself if none does."""
        title = self._registry.titles.longest(s.words, at)
        role = self._language.roles.longest(s.words, at)
        if title and (role is None or role[0] <= title[0]):
            return title[0]
        return role[0] if role and role[1][0][0] == "title" else at

    def _means_one(self, s: Sentence, at: int, end: int) -> bool:
        """Whether a title alone means somebody named before; without articles, if no name or place follows it."""
        return self._definite(s, at) if self._language.has_articles else not s.is_capital(end)

    def _definite(self, s: Sentence, at: int) -> bool:
        found = self._language.lexicon.longest(s.words, at - 1) if at else None
        return found is not None and "the" in found[1]


def _behind_gloss(s: Sentence, last: int) -> int:
    """The token after a spelling in another script, or an age, in brackets: "시진핑(習近平) 주석", "알샤라(43)"."""
    if last == 0 or s.words[last : last + 1] != ["("]:
        return last
    end = next((at for at in range(last + 2, min(last + _GLOSS + 2, len(s.words))) if s.words[at] == ")"), last)
    inside = [letter for word in s.words[last + 1 : end] for letter in word if letter.isalpha()]
    own = script_of(s.words[last - 1][0])
    return end + 1 if end > last and own and all(script_of(letter) not in ("", own) for letter in inside) else last

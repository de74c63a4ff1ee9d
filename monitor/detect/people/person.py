"""One noun phrase that means a person, and the choice of which weak names in a sentence count."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from monitor.detect.people.named_sentence import Sentence
from monitor.detect.vocabulary.language import Language


class Person(NamedTuple):
    """One noun phrase: tokens `first` up to `last`. If `leaders` is empty, `reason` says why it means no leader.

    `owner`: a possessive mark follows. `others`: unnamed leaders are meant as well.
    """

    first: int
    last: int
    leaders: tuple[str, ...]
    reason: str = ""
    owner: bool = False
    others: bool = False
    linked: str = ""
    strong: bool = True


def supported(
    s: Sentence, found: list[Person], language: Language, at_home: Callable[[Sentence], frozenset[str]]
) -> list[Person]:
    """Drop weak names, except next to another leader ("Putin, Xi", "Trump-Xi", "with Xi") or after a full name.

    Two weak names next to each other support each other ("Xi, Moon"), unless both are common words. So do two in one
    sentence that names the state of one of them ("Xi meets Kim in Pyongyang"); `at_home` returns such leaders.
    """
    kept: list[Person] = []
    for index, person in enumerate(found):
        if person.strong or not person.leaders:
            kept.append(person)
            continue
        near = [one for one in found if one is not person and one.leaders and one.strong]
        common = _is_common(s, person, language)
        beside = [one for one in found[max(0, index - 1) : index + 2] if one is not person and one.leaders]
        joined = any(
            (one.strong or not (common or _is_common(s, one, language))) and _linked(s, one, person, language)
            for one in beside
        )
        if (
            (near and (not common or _begins(s, person, language)))
            or joined
            or (not common and _shares_a_home(s, person, found, language, at_home))
        ):
            kept.append(person._replace(strong=True))
        else:
            kept.append(
                Person(
                    person.first, person.last, (), "a name of others as well, and nothing says that the leader is meant"
                )
            )
    return kept


def _shares_a_home(
    s: Sentence,
    person: Person,
    found: list[Person],
    language: Language,
    at_home: Callable[[Sentence], frozenset[str]],
) -> bool:
    """Whether another weak name is in the sentence, and the state of one of the two as well."""
    others = [one for one in found if one.leaders and one.leaders != person.leaders and not one.strong]
    pairs = [{*person.leaders, *one.leaders} for one in others if not _is_common(s, one, language)]
    return bool(pairs) and any(pair & at_home(s) for pair in pairs)


def _begins(s: Sentence, person: Person, language: Language) -> bool:
    """Whether the name opens its clause and a verb follows: "Brexit: May heads to Berlin"."""
    opens = person.first == 0 or s.words[person.first - 1] in ":;|—-"
    found = language.lexicon.longest(s.words, person.last) if person.last < len(s.words) else None
    return (
        opens
        and found is not None
        and any(
            one in ("say", "travel", "support", "have") if isinstance(one, str) else one.tense in ("past", "present")
            for one in found[1]
        )
    )


def _is_common(s: Sentence, person: Person, language: Language) -> bool:
    found = language.common.longest(s.words, person.first)
    word = language.lexicon.longest(s.words, person.first)
    return any(one is not None and one[0] == person.last for one in (found, word))


def _linked(s: Sentence, one: Person, other: Person, language: Language) -> bool:
    """Whether only a conjunction, a comma or a hyphen is between the two."""
    first, second = sorted((one, other), key=lambda person: person.first)
    for at in range(first.last, second.first):
        found = language.lexicon.longest(s.words, at)
        if s.words[at].isalpha() and not (found and ("and" in found[1] or "with" in found[1])):
            return False
    return second.first - first.last <= 2

"""Turns a sentence into a row of items: leaders (coordinated ones as one item), triggers, word classes."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.detect.people.offices import OfficeRegistry
from monitor.detect.people.person import Person
from monitor.detect.text.scripts import commas
from monitor.detect.text.tokens import POSSESSIVES, Token
from monitor.detect.vocabulary.compiled_words import Trigger
from monitor.detect.vocabulary.frame_shapes import ItemClass
from monitor.detect.vocabulary.language import Language

#: A longer sentence is cut after this many tokens: no news sentence is longer, and the work stays bounded.
MAX_TOKENS = 160

#: A fronted phrase has at most this many tokens.
_FRONTED = 14
#: An aside in brackets has at most this many items, with its brackets.
_ASIDE = 6
_BREAKS = frozenset("—;:|()[]{}…•؛")
_COMMAS = frozenset(commas())
#: Marks of quotation, the apostrophe among them, as text is normalised.
QUOTES = frozenset("\"'")


class RowItem(msgspec.Struct, frozen=True):
    """One item: its class, its tokens `first` up to `last`, and its content.

    `hyphen`: leaders joined by a hyphen. `word`: the word of an unknown item, or the code of a state.
    """

    class_: str
    first: int
    last: int
    leaders: tuple[str, ...] = ()
    trigger: Trigger | None = None
    others: bool = False
    hyphen: bool = False
    linked: str = ""
    word: str = ""


class Row(msgspec.Struct, frozen=True):
    """The items of one sentence, and its shape with one character an item.

    `breaks` are the tokens that end a clause for certain; a time in brackets or in a fronted phrase still belongs to
    its sentence. `months` are the places in the text of words that are months here ("may"). `joints` are the tokens
    that begin a subordinate clause ("as"). `sends` are the verbs with which a leader sends someone else ("dispatches"),
    each with the place where the next phrase about something else begins ("after").
    """

    tokens: Sequence[Token]
    words: Sequence[str]
    items: tuple[RowItem, ...]
    shape: str
    breaks: tuple[int, ...]
    title_case: bool = False
    months: frozenset[int] = frozenset()
    joints: tuple[int, ...] = ()
    sends: tuple[tuple[int, int], ...] = ()


def read_row(
    tokens: Sequence[Token],
    persons: Sequence[Person],
    registry: OfficeRegistry,
    *,
    title_case: bool,
    months: frozenset[int] = frozenset(),
) -> Row:
    """Return the items of a sentence of at most MAX_TOKENS tokens.

    `months` are the places in the text of words that are months here but may be other words elsewhere ("may").
    """
    language = registry.language
    text = [token.text for token in tokens]
    items = _without_asides(_split(tokens, text, persons, registry, months), text)
    items = _coordinated(_fronted(items, text, language), text)
    breaks = tuple(item.first for item in items if item.class_ == "BREAK" and text[item.first] not in ",().")
    joints = tuple(at for at, _ in language.subordinate.spans(text))
    sends = tuple(
        (at, next((end for end in range(at + 1, len(text)) if language.fronted.longest(text, end)), len(text)))
        for at, _ in language.sends.spans(text)
    )
    shape = "".join(language.alphabet[item.class_] for item in items)
    return Row(tokens, text, tuple(items), shape, breaks, title_case, months, joints, sends)


def _split(
    tokens: Sequence[Token],
    text: list[str],
    persons: Sequence[Person],
    registry: OfficeRegistry,
    months: frozenset[int],
) -> list[RowItem]:
    language = registry.language
    starts = {person.first: person for person in persons}
    items: list[RowItem] = []
    at = 0
    while at < len(tokens):
        person = starts.get(at)
        if person is not None:
            last = person.last + (1 if person.owner else 0)
            class_ = ("OWNER" if person.owner else "LEADER") if person.leaders else "PERSON"
            items.append(
                RowItem(
                    class_, at, last, person.leaders, others=person.others, linked=person.linked, word=person.reason
                )
            )
            at = last
            continue
        land = registry.lands.longest(text, at) if tokens[at].capital or _is_caseless(text[at][0]) else None
        if land is not None:
            class_, code = land[1][0]
            items.append(RowItem(class_, at, land[0], word=code))
            at = land[0]
            continue
        if tokens[at].start in months:
            items.append(RowItem("time", at, at + 1))
            at += 1
            continue
        found = language.lexicon.longest(text, at)
        if found is not None:
            last = min((one.first for one in persons if at < one.first), default=len(text))
            if found[0] > last:
                found = language.lexicon.longest(text[:last], at)  # "com a" before the person "a presidente"
        if found is not None:
            items.append(_known(found, at))
            at = found[0]
            continue
        class_ = _class_of(tokens, text, at)
        if class_ == "WORD":
            class_ = next((name for ending, name in language.endings if text[at].endswith(ending)), class_)
        if class_ != "WORD" or text[at][0].isalnum():  # signs and emoji between words are skipped
            items.append(RowItem(class_, at, at + 1, word=text[at]))
        at += 1
    return items


def _without_asides(items: list[RowItem], text: list[str]) -> list[RowItem]:
    """Leave out what a short aside adds to a leader's name: "Merz (CDU) met", "Xi (L) and Putin, right, meet"."""
    kept: list[RowItem] = []
    at = 0
    while at < len(items):
        kept.append(items[at])
        at += 1
        if kept[-1].class_ in ("LEADER", "PERSON"):
            at += _aside(items[at : at + _ASIDE], text)
    return kept


def _aside(behind: Sequence[RowItem], text: list[str]) -> int:
    """The number of items, right behind a name, that are an aside: brackets, or a place in a picture after a comma."""
    if len(behind) > 1 and behind[0].class_ == "COMMA" and behind[1].class_ == "position":
        return 3 if len(behind) > 2 and behind[2].class_ == "COMMA" else 2
    if not behind or text[behind[0].first] != "(":
        return 0
    for size, item in enumerate(behind[1:], 2):
        if text[item.first] == ")":
            return size
        if item.leaders or item.trigger is not None or item.class_ == "PERSON":
            return 0
    return 0


def _is_caseless(letter: str) -> bool:
    """Whether the letter is from a script without capitals, in which any word may be a name."""
    return letter > "\u05cf" and letter.isalpha() and letter.upper() == letter


def _known(found: tuple[int, list[Trigger | str]], at: int) -> RowItem:
    last, meanings = found
    for meaning in meanings:
        if isinstance(meaning, Trigger):
            return RowItem(meaning.class_, at, last, trigger=meaning)
    class_ = meanings[0]
    return RowItem(class_ if isinstance(class_, str) else "WORD", at, last)


def _class_of(tokens: Sequence[Token], text: list[str], at: int) -> str:
    word, token = text[at], tokens[at]
    if word[0].isalnum():
        return "NAME" if token.capital and at > 0 else "WORD"
    if word in _COMMAS:
        return "COMMA"
    if word in QUOTES or word in POSSESSIVES:
        return "QUOTE"
    if word in "-/":
        behind = tokens[at + 1] if at + 1 < len(tokens) else None
        if token.spaced and behind is not None and behind.spaced:
            return "BREAK"
        return "HYPHEN"
    if word in _BREAKS:
        return "BREAK"
    if word == "." and (dots := _ellipsis(tokens, text, at)):
        return "BREAK" if dots == 1 else "WORD"  # one item for all dots, since signs of the class WORD are skipped
    if word in ".!?":
        return "END"
    return "WORD"


def _ellipsis(tokens: Sequence[Token], text: list[str], at: int) -> int:
    """Return which dot of an ellipsis the dot at `at` is, 0 if it is a single dot ("…" is normalised to three)."""

    def follows(index: int) -> bool:
        return 0 < index < len(text) and text[index] == text[index - 1] == "." and not tokens[index].spaced

    first = at
    while follows(first):
        first -= 1
    return at - first + 1 if first < at or follows(at + 1) else 0


def _coordinated(items: list[RowItem], text: list[str]) -> list[RowItem]:
    """Join leaders connected by conjunctions, commas or hyphens, and appositions of the same leader, into one item."""
    merged: list[RowItem] = []
    at = 0
    while at < len(items):
        item = items[at]
        if item.class_ not in ("LEADER", "OWNER") and not item.others:
            merged.append(item)
            at += 1
            continue
        at += 1
        same = together = False
        while True:
            size = _join(merged, item, items, at) or _dotted(item, items[at : at + 1], text)
            if not size:
                break
            following = items[at + size - 1]
            same = set(following.leaders) <= set(item.leaders)
            together = together or any(one.class_ == "together" for one in items[at : at + size])
            item = RowItem(
                following.class_ if following.leaders else item.class_,
                item.first,
                following.last,
                tuple(dict.fromkeys((*item.leaders, *following.leaders))),
                others=item.others or following.others,
                hyphen=item.hyphen or (size == 2 and items[at].class_ == "HYPHEN"),
                linked="" if not same else item.linked,
            )
            at += size
            if (same or together) and at < len(items) and items[at].class_ == "COMMA" and item.class_ == "LEADER":
                at += 1  # the comma behind an apposition
        apposed = item.leaders and "," in text[item.first : item.last] and items[at : at + 1] != []
        if apposed and items[at].class_ == "COMMA" and item.class_ == "LEADER":
            at += 1  # "the US president, X, met"
        if item.others and not item.leaders:
            item = msgspec.structs.replace(item, class_="PERSON")
        elif item.hyphen and item.class_ == "LEADER" and len(item.leaders) > 1:
            item = msgspec.structs.replace(item, class_="PAIR")
        merged.append(item)
    return merged


_LEADERS: frozenset[ItemClass] = frozenset({"LEADER", "OWNER", "PAIR"})
#: Classes that may follow a list of leaders after a preposition; a verb would make the last leader a subject.
_LIST_ENDS: frozenset[ItemClass] = frozenset(
    {"END", "BREAK", "COMMA", "prep", "during", "time", "adv", "and", "QUOTE", "of", "by"}
)


def _join(before: list[RowItem], item: RowItem, items: list[RowItem], at: int) -> int:
    """The number of items that connect the next leader to `item`; 0 if none does."""
    window = items[at : at + 3]
    classes = [one.class_ for one in window]

    def leader(index: int) -> bool:
        return index < len(window) and _is_leader(window[index])

    if item.class_ == "OWNER":
        return 2 if classes[:1] == ["and"] and leader(1) and window[1].class_ == "OWNER" else 0
    if classes[:1] in (["HYPHEN"], ["and"], ["together"]) and leader(1):
        return 2
    if (
        classes[:2] == ["COMMA", "and"]
        and classes[2:] in (["poss"], ["the"], ["det"])
        and at + 3 < len(items)
        and _is_leader(items[at + 3])
    ):
        return 4
    if classes[:2] in (
        ["COMMA", "and"],
        ["COMMA", "together"],
        ["and", "poss"],
        ["and", "the"],
        ["and", "det"],
        ["and", "of"],
    ) and leader(2):
        return 3
    if classes[:2] == ["COMMA", "the"] and leader(2) and set(window[2].leaders) <= set(item.leaders):
        return 3  # "X, the Russian president, ..."
    if classes[:1] == ["COMMA"] and leader(1):
        same = set(window[1].leaders) <= set(item.leaders)
        return 2 if same or len(item.leaders) > 1 or _is_list(before, items, at) else 0
    return 0


def _dotted(item: RowItem, then: Sequence[RowItem], text: list[str]) -> int:
    """1 if the next item is a leader right behind a middle dot, which joins names in Korean headlines; else 0."""
    return int(bool(then) and _is_leader(then[0]) and text[item.last : then[0].first] == ["·"])


def _is_leader(item: RowItem) -> bool:
    return item.class_ in _LEADERS or item.others


def _is_list(before: list[RowItem], items: list[RowItem], at: int) -> bool:
    """Whether the comma at `at` separates leaders of a list, rather than ending a phrase.

    It does if "and" follows in the list, if the list opens a clause ("Putin, Xi agree"), or if the list is after a
    preposition and no verb follows ("talks with Japarov, Lukashenko on Sunday").
    """
    for step in range(at + 2, len(items) - 1, 2):
        if items[step].class_ == "and":
            return items[step + 1].class_ in _LEADERS or items[step + 1].others
        if items[step].class_ != "COMMA" or items[step + 1].class_ not in _LEADERS:
            break
    previous = before[-1].class_ if before else "BREAK"
    if previous == "between":
        return True
    if previous in ("with", "of", "to") or (before and before[-1].trigger is not None):
        return at + 2 >= len(items) or items[at + 2].class_ in _LIST_ENDS
    return not any(one.trigger is not None for one in before) and previous not in ("prep", "during")


def _fronted(items: list[RowItem], text: list[str], language: Language) -> list[RowItem]:
    """Make the comma after a fronted phrase ("After his call with X, Y ...") a clause end."""
    done: list[RowItem] = []
    opened = -1
    for index, item in enumerate(items):
        if index == 0 or items[index - 1].class_ == "BREAK":
            opened = index if language.fronted.longest(text, item.first) is not None else -1
        if opened >= 0 and item.class_ == "COMMA" and index - opened <= _FRONTED:
            done.append(msgspec.structs.replace(item, class_="BREAK"))
            opened = -1
        else:
            done.append(item)
    return done

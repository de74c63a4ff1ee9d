"""Writes the brief of an event: at most three sentences, in which each part cites the sources that claim it.

They say what happened, what it was about, and what is uncertain. All words come from the language's file, except marked
quotations from the coverage. Facts that no source gives are left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import msgspec

from monitor.assemble.brief.deeds import action_of, fill
from monitor.assemble.brief.phrases import BriefPhrases, phrases, plain_words
from monitor.assemble.claims.notices import notice_of
from monitor.detect.text.news_layout import label
from monitor.records import Event, EventSource, Participant, When
from monitor.watchlist import bundled

#: Leaders to name one by one; the others of a larger gathering are counted.
MAX_NAMED = 6
MAX_QUOTE = 200
#: Limits: source numbers shown for one claim, topics named, and outlets named for another value.
MAX_NUMBERS = 8
_MAX_TOPICS = 3
_MAX_OUTLETS = 2
_MAX_DISAGREEMENTS = 2
_MAX_TRIED = 5
#: New words that a title must have to be worth quoting, and their shortest length.
_NEWS = 2
_LONG_WORD = 4

#: Punctuation marks without a space before them.
_NO_SPACE = ",;，；،؛、"
_REMOTE = frozenset({"phone", "video", "remote"})
#: Statuses whose sentence has the contact as a noun; time and place are the planned ones.
_OF_NOUN = frozenset({"postponed", "cancelled", "denied"})
_QUOTES = re.compile('[“”„«»"「」『』]')
_WORD = re.compile(r"[^\W\d_]+")


class SentencePart(msgspec.Struct, frozen=True):
    """A part of a sentence, the facts that it states, and the numbers of its sources."""

    text: str
    facts: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()


def brief(event: Event, language: str = "en") -> str:
    """Return the brief of an event that already has facts, alternatives and sources."""
    stop = phrases(language).stop
    return _space(stop).join(sentence(pieces, stop) for pieces in sentences(event, language))


def sentences(event: Event, language: str = "en") -> tuple[tuple[SentencePart, ...], ...]:
    """Return the brief as sentences, each a list of pieces."""
    words = phrases(language)
    written = (_what(event, words), _about(event, words), _unsure(event, words))
    return tuple(pieces for pieces in written if pieces)


def sentence(pieces: Sequence[SentencePart], stop: str = ".") -> str:
    """Return one sentence; pieces with the same sources share one citation."""
    text = ""
    for at, piece in enumerate(pieces):
        joint = "" if not text or piece.text[0] in _NO_SPACE else _space(stop)
        text += joint + piece.text
        last = at + 1 == len(pieces)
        if piece.sources and (last or pieces[at + 1].sources != piece.sources):
            text += f" {numbers(piece.sources)}"
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}{stop}"


def _space(stop: str) -> str:
    """The separator of sentences: none if the script's full stop is wide."""
    return " " if stop == "." else ""


def numbers(sources: Iterable[int]) -> str:
    """Return a citation, `[1, 2]`, of some sources, in order of number and up to a limit."""
    return f"[{', '.join(map(str, sorted(dict.fromkeys(sources))[:MAX_NUMBERS]))}]"


# -- what ----------------------------------------------------------------------------------------------------------


def _what(event: Event, words: BriefPhrases) -> tuple[SentencePart, ...]:
    clause = _clause(event, words)
    if event.status == "retracted":
        return (SentencePart(f"{clause}{words.semicolon} {words.retraction}"),)
    around = _time_and_place(event, words)
    if event.status in _OF_NOUN and around:
        template = words.said if _was_reported(event) else words.due
        due = template.format(time=around[0].text.removeprefix(", "))
        around = [msgspec.structs.replace(around[0], text=f"{words.semicolon} {due}"), *around[1:]]
    tail = [SentencePart(f"{words.semicolon} {words.no_report}")] if event.status == "unconfirmed" else []
    if words.time_first and event.status not in _OF_NOUN and around:
        opening = [msgspec.structs.replace(one, text=one.text.removeprefix(words.comma)) for one in around]
        return (*opening, msgspec.structs.replace(_cited(event, clause), text=f"{words.comma}{clause}"), *tail)
    return (_cited(event, clause), *around, *tail)


def _was_reported(event: Event) -> bool:
    """Whether a denied contact was reported as held: then its day is the reported one, not a planned one."""
    return event.status == "denied" and any(claim.value == "held" for claim in event.alternatives.get("status", ()))


def _clause(event: Event, words: BriefPhrases) -> str:
    action = action_of(event)
    deed = words.deeds[action.deed]
    sides = action.who if deed.alone else event.participants
    return fill(
        words.brief[event.status], event, action, words,
        who=words.full_names(action.who, MAX_NAMED),
        other=words.full_names(action.other, MAX_NAMED, abroad=not action.country, form="with"),
        sides=words.sides.of(len(sides)).format(names=words.full_names(sides, MAX_NAMED)),
    )  # fmt: skip


def _cited(event: Event, clause: str) -> SentencePart:
    """The clause with the sources that claim all of it, or with those of its status if none does."""
    names = ["status", "participants", *(["medium"] if event.medium != "unknown" else [])]
    claimed = [set(event.facts[name].sources) for name in names if name in event.facts]
    whole = set.intersection(*claimed) if claimed else set()
    status = event.facts.get("status")
    return SentencePart(clause, tuple(names), tuple(sorted(whole)) or (status.sources if status else ()))


def _time_and_place(event: Event, words: BriefPhrases) -> list[SentencePart]:
    pieces: list[SentencePart] = []
    time = SentencePart(words.when(event.when), ("when",), _sources(event, "when")) if event.when is not None else None
    known = event.when is not None and event.when.granularity != "reported"
    if time is not None and known:
        pieces.append(time)
    if event.place is not None and event.medium not in _REMOTE:
        place = words.where(event.place) if event.place.name or not action_of(event).country else ""
        if place:
            comma = words.comma if pieces else ""
            pieces.append(SentencePart(comma + place, ("place",), _sources(event, "place")))
    if event.forum:
        occasion = words.occasion.format(forum=words.forum(event.forum))
        pieces.append(SentencePart(occasion, ("forum",), _sources(event, "forum")))
    return pieces if time is None or known else [*pieces, time]


def _sources(event: Event, fact: str) -> tuple[int, ...]:
    return event.facts[fact].sources if fact in event.facts else ()


# -- topics --------------------------------------------------------------------------------------------------------


def _about(event: Event, words: BriefPhrases) -> tuple[SentencePart, ...]:
    if event.status == "retracted":
        return ()
    pieces: list[SentencePart] = []
    if event.topics:
        named = event.topics[:_MAX_TOPICS]
        text = words.topics.of(len(named)).format(topics=words.listed([words.topic(one) for one in named]))
        pieces.append(SentencePart(text, ("topics",), _sources(event, "topics")))
    if (quoted := _quotation(event, words)) is not None:
        joined = msgspec.structs.replace(quoted, text=f"{words.semicolon} {quoted.text}")
        pieces.append(joined if pieces else quoted)
    return tuple(pieces)


def _quotation(event: Event, words: BriefPhrases) -> SentencePart | None:
    """The title of the report that most publishers carry, if it says more than the first sentence does.

    It must agree with the event's status, contradict no fact and name those who meet, and be neither a question nor
    labelled as a comment or a correction. Of the best titles, _MAX_TRIED are looked at.
    """
    status = event.facts.get("status")
    against = {n for claims in event.alternatives.values() for claim in claims for n in claim.sources}
    bearing = [
        s
        for s in event.sources
        if s.title and s.n not in against and (status is None or s.n in status.sources) and _is_report(s)
    ]
    if not bearing:
        return None
    carried = Counter(report for _, report in {(s.publisher or s.article_id, s.report) for s in bearing})
    bearing.sort(key=lambda s: (-carried[s.report], s.language not in {"", words.language}, not s.official, s.n))
    best = next((s for s in bearing[:_MAX_TRIED] if _names_them(s.title, event.participants)), None)
    first = sentence(_what(event, words))
    if best is None or not _says_more(best.title, first, event.participants, plain_words(best.language)):
        return None
    title = _QUOTES.sub("'", best.title)
    title = title if len(title) <= MAX_QUOTE else title[: MAX_QUOTE - 1].rstrip() + "…"
    alike = tuple(s.n for s in bearing if s.report == best.report and s.title == best.title)
    return SentencePart(
        words.quotation.format(outlet=best.outlet or best.publisher, quote=title).lstrip(": "), ("quote",), alike
    )


def _names_them(title: str, participants: Sequence[Participant]) -> bool:
    """Whether a title names a participant, or the states of two: else it is a headline about something else."""
    if any(_holds(title, name) for p in participants for name in (*p.name.split()[-1:], *_leader_names(p.leader))):
        return True
    return (
        sum(any(_holds(title, name) for name in _state_names(code)) for code in {p.country for p in participants}) > 1
    )


def _holds(title: str, name: str) -> bool:
    """Whether a title has a name as a whole word; in scripts without spaces, anywhere. "Li" is not in "Libya"."""
    at = title.find(name)
    while at >= 0:
        if not name.isascii() or not (
            title[at - 1 : at].isalpha() or title[at + len(name) : at + len(name) + 1].isalpha()
        ):
            return True
        at = title.find(name, at + 1)
    return False


@cache
def _leader_names(leader: str) -> tuple[str, ...]:
    known = bundled().leaders.get(leader)
    return tuple({alias.text for alias in known.aliases}) if known is not None else ()


@cache
def _state_names(code: str) -> tuple[str, ...]:
    state = bundled().states.get(code)
    return (
        tuple({name for names in (*state.names.values(), *state.adjectives.values()) for name in names})
        if state
        else ()
    )


def _names_of_leaders(title: str) -> set[str]:
    """The words of a title that are in the name of a leader whom it names in full or by a name of two words or more."""
    words = {word for word in _WORD.findall(title) if word[:1].isupper()}
    found = {name for word in words for name in _names_with().get(word, ()) if _holds(title, name)}
    return {bare for name in found for bare in _bare_words(name)}


@cache
def _names_with() -> dict[str, tuple[str, ...]]:
    """The names of all leaders, by their last word."""
    names: dict[str, list[str]] = {}
    for leader in bundled().leaders.values():
        for name in {leader.name, *(alias.text for alias in leader.aliases if alias.strength != "weak")}:
            names.setdefault((_WORD.findall(name) or [name])[-1], []).append(name)
    return {word: tuple(found) for word, found in names.items()}


@cache
def _capital(code: str) -> str:
    state = bundled().states.get(code)
    return state.capital if state is not None else ""


def _is_report(source: EventSource) -> bool:
    said = label(source.title)
    if notice_of(source.title) is not None:
        return False
    return not source.title.rstrip().endswith(("?", "？", "؟")) and (said is None or said.name in {"news", "live"})


def _says_more(title: str, sentence: str, participants: Iterable[Participant], plain: Iterable[str]) -> bool:
    """Whether a title has words beyond the sentence, names of leaders and their states, and `plain` words."""
    names = [name for p in participants for name in (p.name, *_state_names(p.country), _capital(p.country))]
    known = {word for text in (sentence, *names, *plain) for word in _bare_words(text)}
    new = _bare_words(title) - known - _names_of_leaders(title)
    return sum(len(word) >= _LONG_WORD for word in new) >= _NEWS or any(not word.isascii() for word in new)


def _bare_words(text: str) -> set[str]:
    """The words of a text in lower case, Latin ones without accents: "Orbán" becomes "orban"."""
    apart = unicodedata.normalize("NFKD", text)
    return {word.lower() for word in _WORD.findall("".join(one for one in apart if not unicodedata.combining(one)))}


# -- what is uncertain ---------------------------------------------------------------------------------------------


def _unsure(event: Event, words: BriefPhrases) -> tuple[SentencePart, ...]:
    if event.status == "retracted":
        return ()
    pieces = [*_disagreements(event, words), *_sides(event, words)]
    semicolon = f"{words.semicolon} "
    return tuple(msgspec.structs.replace(p, text=semicolon + p.text) if at else p for at, p in enumerate(pieces))


def _disagreements(event: Event, words: BriefPhrases) -> list[SentencePart]:
    """For each fact on which sources disagree, the best of the other values and the outlets that give it."""
    found = []
    for name, template in words.alternatives.items():
        claims = event.alternatives.get(name, ())
        if name == "place" and event.medium in _REMOTE:
            # A call has no place: sources that name one mean where a leader was.
            claims = (event.facts[name],) if name in event.facts else ()
        if not claims or name not in event.facts:
            continue
        outlets = [event.sources[n - 1].outlet or event.sources[n - 1].publisher for n in claims[0].sources]
        named = [outlet for outlet in dict.fromkeys(outlets) if outlet]
        many = len(claims[0].sources)
        if not named or len(named) > _MAX_OUTLETS:
            by = words.sources.of(many).format(n=many)
        else:
            by, many = words.listed(named), len(named)
        text = template.of(many).format(outlets=by, value=_value(name, claims[0].value, words))
        found.append(SentencePart(text, (name,), claims[0].sources))
    return found[:_MAX_DISAGREEMENTS]


def _value(name: str, value: Any, words: BriefPhrases) -> str:  # noqa: ANN401  # the JSON form of any fact
    if name == "when":
        when = msgspec.convert(value, When)
        return words.day(when.start) if when.start == when.end else f"{words.day(when.start)} – {words.day(when.end)}"
    if name == "place":
        return words.town(str(value["name"])) or words.country(value["country"])
    if name == "forum":
        return words.forum(str(value))
    return words.values.get(str(value), str(value))


def _sides(event: Event, words: BriefPhrases) -> list[SentencePart]:
    """Which participants' own offices confirm the contact and which have not, or which of them refuse it."""
    states = {p.country for p in event.participants}
    own = {s.n: s.speaks_for for s in event.sources if s.official and s.speaks_for and s.speaks_for in states}
    if event.status in _OF_NOUN:
        said = {n: own[n] for n in _sources(event, "status") if n in own}
        return [_side_piece(words.refused, said, event, words)] if said and event.status == "denied" else []
    confirming = {p.country for p in event.participants if p.leader in event.confirmed_by}
    said = {n: side for n, side in own.items() if side in confirming and n in _confirming(event)}
    if not said:
        return []
    pieces = [_side_piece(words.confirmed, said, event, words)]
    silent = [_side(p.country, words) for p in event.participants if p.country not in confirming]
    if len(event.participants) == len({p.country for p in event.participants}) == 1 + len(silent) and all(silent):
        pieces.append(SentencePart(words.unconfirmed.of(len(silent)).format(side=words.listed(silent))))
    return pieces


def _confirming(event: Event) -> set[int]:
    return {n for name in ("status", "when", "participants") for n in _sources(event, name)}


def _side_piece(template: Any, said: dict[int, str], event: Event, words: BriefPhrases) -> SentencePart:  # noqa: ANN401
    codes = [p.country for p in event.participants if p.country in said.values()]
    names = [_side(code, words) or code for code in dict.fromkeys(codes)]
    return SentencePart(template.of(len(names)).format(side=words.listed(names)), ("confirmed",), tuple(sorted(said)))


def _side(code: str, words: BriefPhrases) -> str:
    """A side: in English its nationality, which goes before "side"; in other languages its state."""
    return words.nationality(code) if words.titled else words.state(code)

"""The brief of an event: three sentences at most, in which each part cites the sources that make its claim.

What happened, what it was about, what is not sure. Words come from the language's file, and from the coverage itself
only as a marked quotation. A fact that no source gives has no words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from monitor.assemble.brief.deeds import fill, telling
from monitor.assemble.brief.phrases import BriefPhrases, phrases, plain_words
from monitor.detect.text.news_layout import label
from monitor.records import Event, EventSource, Participant, When

#: Leaders named one by one; of a larger gathering the others are counted.
MAX_NAMED = 6
MAX_QUOTE = 200
#: Source numbers shown behind one claim, topics named, and outlets named as giving another value.
MAX_NUMBERS = 8
_MAX_TOPICS = 3
_MAX_OUTLETS = 2
_MAX_DISAGREEMENTS = 2
#: Words of a title that the first sentence does not have, so that it is worth a quotation, and their least length.
_NEWS = 2
_LONG_WORD = 4

_REMOTE = frozenset({"phone", "video", "remote"})
#: Statuses whose sentence speaks of the contact as a noun; time and place are those that it was planned for.
_OF_NOUN = frozenset({"postponed", "cancelled", "denied"})
_QUOTES = re.compile('[“”„«»"「」『』]')
_WORD = re.compile(r"[^\W\d_]+")


class Piece(msgspec.Struct, frozen=True):
    """A part of a sentence, the facts that it states, and the numbers of the sources that claim them."""

    text: str
    facts: tuple[str, ...] = ()
    sources: tuple[int, ...] = ()


def brief(event: Event, language: str = "en") -> str:
    """Return the text for an event whose facts, alternatives and sources are set."""
    return " ".join(sentence(pieces) for pieces in sentences(event, language))


def sentences(event: Event, language: str = "en") -> tuple[tuple[Piece, ...], ...]:
    """Return the brief as sentences, each as the pieces that it is made of."""
    words = phrases(language)
    told = (_what(event, words), _about(event, words), _unsure(event, words))
    return tuple(pieces for pieces in told if pieces)


def sentence(pieces: Sequence[Piece]) -> str:
    """Return one sentence; pieces with the same sources share one citation."""
    text = ""
    for at, piece in enumerate(pieces):
        joint = "" if not text or piece.text[0] in ",;" else " "
        text += joint + piece.text
        last = at + 1 == len(pieces)
        if piece.sources and (last or pieces[at + 1].sources != piece.sources):
            text += f" {numbers(piece.sources)}"
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def numbers(sources: Iterable[int]) -> str:
    """`[1, 2]`: the first of the sources given, in order of number."""
    return f"[{', '.join(map(str, sorted(dict.fromkeys(sources))[:MAX_NUMBERS]))}]"


# -- what ----------------------------------------------------------------------------------------------------------


def _what(event: Event, words: BriefPhrases) -> tuple[Piece, ...]:
    clause = _clause(event, words)
    if event.status == "retracted":
        return (Piece(f"{clause}, {words.retraction}"),)
    around = _time_and_place(event, words)
    if event.status in _OF_NOUN and around:
        due = words.due.format(time=around[0].text.removeprefix(", "))
        around = [msgspec.structs.replace(around[0], text=f"; {due}"), *around[1:]]
    tail = [Piece(f"; {words.no_report}")] if event.status == "unconfirmed" else []
    return (_cited(event, clause), *around, *tail)


def _clause(event: Event, words: BriefPhrases) -> str:
    told = telling(event)
    deed = words.deeds[told.deed]
    sides = told.who if deed.alone else event.participants
    return fill(
        words.brief[event.status], event, told, words,
        who=words.full_names(told.who, MAX_NAMED),
        other=words.full_names(told.other, MAX_NAMED, abroad=not told.country),
        sides=words.full_names(sides, MAX_NAMED),
    )  # fmt: skip


def _cited(event: Event, clause: str) -> Piece:
    """The clause with the sources that claim all of it, or its status where none claims all."""
    names = ["status", "participants", *(["medium"] if event.medium != "unknown" else [])]
    claimed = [set(event.facts[name].sources) for name in names if name in event.facts]
    whole = set.intersection(*claimed) if claimed else set()
    status = event.facts.get("status")
    return Piece(clause, tuple(names), tuple(sorted(whole)) or (status.sources if status else ()))


def _time_and_place(event: Event, words: BriefPhrases) -> list[Piece]:
    pieces: list[Piece] = []
    time = Piece(words.when(event.when), ("when",), _sources(event, "when")) if event.when is not None else None
    known = event.when is not None and event.when.granularity != "reported"
    if time is not None and known:
        pieces.append(time)
    if event.place is not None and event.medium not in _REMOTE:
        place = event.place.name or ("" if telling(event).country else words.country(event.place.country))
        if place:
            comma = ", " if pieces else ""
            pieces.append(Piece(comma + words.place.format(place=place), ("place",), _sources(event, "place")))
    if event.forum:
        pieces.append(Piece(words.occasion.format(forum=event.forum), ("forum",), _sources(event, "forum")))
    return pieces if time is None or known else [*pieces, time]


def _sources(event: Event, fact: str) -> tuple[int, ...]:
    return event.facts[fact].sources if fact in event.facts else ()


# -- what about ----------------------------------------------------------------------------------------------------


def _about(event: Event, words: BriefPhrases) -> tuple[Piece, ...]:
    if event.status == "retracted":
        return ()
    pieces: list[Piece] = []
    if event.topics:
        named = event.topics[:_MAX_TOPICS]
        text = words.topics.of(len(named)).format(topics=words.listed(named))
        pieces.append(Piece(text, ("topics",), _sources(event, "topics")))
    if (quoted := _quotation(event, words)) is not None:
        pieces.append(msgspec.structs.replace(quoted, text=f"; {quoted.text}") if pieces else quoted)
    return tuple(pieces)


def _quotation(event: Event, words: BriefPhrases) -> Piece | None:
    """The title of the report that most publishers carry, if it says more than the first sentence does.

    It bears the event's status out, and is neither a question nor labelled as a comment.
    """
    status = event.facts.get("status")
    bearing = [s for s in event.sources if s.title and (status is None or s.n in status.sources) and _is_report(s)]
    if not bearing:
        return None
    carried = Counter(report for _, report in {(s.publisher or s.article_id, s.report) for s in bearing})
    best = min(bearing, key=lambda s: (-carried[s.report], s.language not in {"", words.language}, not s.official, s.n))
    if not _says_more(best.title, sentence(_what(event, words)), event.participants, plain_words(best.language)):
        return None
    title = _QUOTES.sub("'", best.title)
    title = title if len(title) <= MAX_QUOTE else title[: MAX_QUOTE - 1].rstrip() + "…"
    alike = tuple(s.n for s in bearing if s.report == best.report and s.title == best.title)
    return Piece(
        words.quotation.format(outlet=best.outlet or best.publisher, quote=title).lstrip(": "), ("quote",), alike
    )


def _is_report(source: EventSource) -> bool:
    said = label(source.title)
    return not source.title.rstrip().endswith(("?", "？", "؟")) and (said is None or said.name in {"news", "live"})


def _says_more(title: str, told: str, participants: Iterable[Participant], plain: Iterable[str]) -> bool:
    """Whether a title has words that neither the sentence nor a name has; `plain` ones say no more than any title."""
    known = {word for text in (told, *(p.name for p in participants), *plain) for word in _bare_words(text)}
    new = _bare_words(title) - known
    return sum(len(word) >= _LONG_WORD for word in new) >= _NEWS or any(not word.isascii() for word in new)


def _bare_words(text: str) -> set[str]:
    """The words of a text in small letters; Latin ones without accents: "Orbán" is "Orban"."""
    apart = unicodedata.normalize("NFKD", text)
    return {word.lower() for word in _WORD.findall("".join(one for one in apart if not unicodedata.combining(one)))}


# -- what is not sure ----------------------------------------------------------------------------------------------


def _unsure(event: Event, words: BriefPhrases) -> tuple[Piece, ...]:
    if event.status == "retracted":
        return ()
    pieces = [*_disagreements(event, words), *_sides(event, words)]
    return tuple(msgspec.structs.replace(p, text=f"; {p.text}") if at else p for at, p in enumerate(pieces))


def _disagreements(event: Event, words: BriefPhrases) -> list[Piece]:
    """For each fact on which sources disagree, the best of the other values and who gives it."""
    told = []
    for name, template in words.alternatives.items():
        claims = event.alternatives.get(name, ())
        if name == "place" and event.medium in _REMOTE:
            # A call has no place of its own: sources that name one mean where a leader was.
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
        told.append(Piece(text, (name,), claims[0].sources))
    return told[:_MAX_DISAGREEMENTS]


def _value(name: str, value: Any, words: BriefPhrases) -> str:  # noqa: ANN401  # the JSON form of any fact
    if name == "when":
        when = msgspec.convert(value, When)
        return words.day(when.start) if when.start == when.end else f"{words.day(when.start)} – {words.day(when.end)}"
    if name == "place":
        return str(value["name"] or words.country(value["country"]))
    return words.values.get(str(value), str(value))


def _sides(event: Event, words: BriefPhrases) -> list[Piece]:
    """Which sides' own offices confirm the contact, and which have not; or which of them refuse it."""
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
    silent = [words.nationality(p.country) for p in event.participants if p.country not in confirming]
    if len(event.participants) == len({p.country for p in event.participants}) == 1 + len(silent) and all(silent):
        pieces.append(Piece(words.unconfirmed.of(len(silent)).format(side=words.listed(silent))))
    return pieces


def _confirming(event: Event) -> set[int]:
    return {n for name in ("status", "when", "participants") for n in _sources(event, name)}


def _side_piece(template: Any, said: dict[int, str], event: Event, words: BriefPhrases) -> Piece:  # noqa: ANN401
    codes = [p.country for p in event.participants if p.country in said.values()]
    names = [words.nationality(code) or code for code in dict.fromkeys(codes)]
    return Piece(template.of(len(names)).format(side=words.listed(names)), ("confirmed",), tuple(sorted(said)))

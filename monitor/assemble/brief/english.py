"""Words of the brief: dates, ordinals, lists and source numbers in English."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache

from monitor.watchlist import bundled

_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_MONTHS = (
    "", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Names of states that English uses with an article.
_ARTICLE = ("United ", "Netherlands", "Philippines", "Vatican", "Gambia", "Bahamas")
_ARTICLE_END = (" Republic", " Emirates", " Islands", "Maldives", "Comoros", "Seychelles")
#: Source numbers shown behind one sentence.
MAX_NUMBERS = 8


def ordinal_word(n: int) -> str:
    """`first` to `tenth`, then 11th, 12th, 21st."""
    if n < len(_ORDINALS):
        return _ORDINALS[n]
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"


def day_text(day: int | date, *, weekday: bool = False, year: bool = True) -> str:
    """`4 February 2026`, or `Wednesday 4 February` with `weekday` and without `year`."""
    when = day if isinstance(day, date) else date.fromordinal(day)
    text = f"{when.day} {_MONTHS[when.month]}" + (f" {when.year}" if year else "")
    return f"{_WEEKDAYS[when.weekday()]} {text}" if weekday else text


def month_text(day: date) -> str:
    """`February 2026`."""
    return f"{_MONTHS[day.month]} {day.year}"


def listed(words: Sequence[str], word: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {word} {words[-1]}" if words else ""


def numbers(sources: Iterable[int]) -> str:
    """`[1, 2]`: the first of the sources given, in order of number."""
    return f"[{', '.join(map(str, sorted(list(dict.fromkeys(sources))[:MAX_NUMBERS])))}]"


@cache
def nationality(code: str) -> str:
    """`Russian` for RU, `NATO` for a body, '' for a code that the bundled watchlist does not know."""
    state = bundled().states.get(code)
    return next(iter(state.adjectives.get("en", ())), "") if state is not None else ""


@cache
def is_state(code: str) -> bool:
    """Whether the code is of a state, not of a body such as the EU."""
    state = bundled().states.get(code)
    return state is not None and state.kind == "state"


@cache
def country(code: str) -> str:
    """`Russia`, `the United States`; the code itself when the bundled watchlist does not know it."""
    state = bundled().states.get(code)
    if state is None:
        return code
    return f"the {state.name}" if state.name.startswith(_ARTICLE) or state.name.endswith(_ARTICLE_END) else state.name


def counted(n: int, noun: str) -> str:
    """`1 report`, `3 reports`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"

"""Words of the brief: dates, ordinals, lists and source numbers in English."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_MONTHS = (
    "", "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
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
    """`[1, 2]`: the first source numbers, in order."""
    return f"[{', '.join(map(str, sorted(set(sources))[:MAX_NUMBERS]))}]"


def counted(n: int, noun: str) -> str:
    """`1 report`, `3 reports`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"

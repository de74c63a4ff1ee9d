"""The values of an event's facts as a reader's language writes them: people, dates, places, forms, numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from babel import Locale
from babel.dates import format_time
from babel.lists import format_list
from msgspec.structs import replace

from monitor.assemble import headline
from monitor.assemble.brief.phrases import BriefPhrases, phrases
from monitor.assemble.brief.sentences import brief
from monitor.notify.harmless import MAX_NAME, MAX_TITLE, clean
from monitor.notify.messages.wording import Counted, Wording, fill
from monitor.records import Event, Participant, Place, When, in_zone
from monitor.watchlist import bundled
from monitor.watchlist.writing import written

#: People who are named; of a larger gathering the others are counted.
_NAMED = 4
#: Characters of a line that a locked phone shows, and the fewest that a headline behind a piece of news gets.
LINE = 110
_LEAST = 60


def phrases_of(words: Wording) -> BriefPhrases:
    """Return the words of headlines in the reader's language."""
    return phrases(words.language)


def line(words: Wording, event: Event, *, taken: int = 0) -> str:
    """Return the event in one line; `taken` characters of it are needed for something else."""
    harmless = _harmless(event)
    return clean(headline(harmless, words.zone, max(_LEAST, LINE - taken), words.language), LINE)


def _harmless(event: Event) -> Event:
    """Return the event with names that are clean and short."""
    people = tuple(replace(person, name=clean(person.name or person.leader, MAX_NAME)) for person in event.participants)
    place = event.place and replace(event.place, name=clean(event.place.name, MAX_NAME))
    return replace(event, participants=people, place=place)


def localized(words: Wording, event: Event) -> Event:
    """Return the event with its brief in the reader's language; as it is, where that is English."""
    if words.language == "en" or not event.brief:
        return event
    return replace(event, brief=brief(event, words.language))


def pair(words: Wording, event: Event) -> str:
    """Return who is in contact with whom in the shortest form: `Macron–Merz`."""
    known, people = phrases_of(words), _harmless(event).participants
    text = known.between.join(map(known.surname, people[:2]))
    return clean(text if len(people) < 3 else f"{text} …", MAX_NAME)


def surnames(words: Wording, event: Event) -> str:
    """Return the participants by their surnames, as headlines do."""
    return clean(phrases_of(words).surnames(_harmless(event).participants, _NAMED), MAX_TITLE)


def who(words: Wording, participants: Sequence[Participant], *, office: bool = False) -> str:
    """Return the names in a list, each with office and state where `office` is true."""
    named = participants[: _NAMED if len(participants) > _NAMED + 1 else None]
    names = [_person(words, person, office=office) for person in named]
    if left := len(participants) - len(named):
        names.append(counted(words, words.more, left))
    return listed(words, names)


def _person(words: Wording, person: Participant, *, office: bool) -> str:
    name = clean(written(person.leader, words.language) or person.name or person.leader, MAX_NAME)
    title = [clean(person.office, MAX_NAME) if words.language == "en" else "", state(words, person.country)]
    known = ", ".join(part for part in title if part) if office else ""
    return fill(words.person, name=name, title=known) if known else name


def listed(words: Wording, texts: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return format_list(list(texts), locale=words.locale) if texts else ""


def when(words: Wording, moment: When | None, now: date | None = None) -> str:
    """Return the time of the contact, with the weekday of each day; empty when it is not known.

    The year of `now` goes without saying.
    """
    if moment is None:
        return ""
    return phrases_of(words).when(moment, short=True, now=now)


def place(words: Wording, found: Place | None) -> str:
    """Return city and state; empty when nothing is known."""
    if found is None:
        return ""
    city, country = clean(found.name, MAX_NAME), state(words, found.country)
    if not city or city == country:
        return country
    return fill(words.place, city=city, state=country) if country else city


def state(words: Wording, code: str) -> str:
    """Return the name of a state or body; what stands in its place when it is none that the watchlist knows."""
    found = bundled().states.get(code)
    if found is None:
        return clean(code, MAX_NAME)
    names = found.names.get(words.language, ())
    return found.name if words.language == "en" or not names else names[0]


def form(words: Wording, event: Event) -> str:
    """Return kind and medium; empty when the medium is not known, since the headline has the kind."""
    medium = words.medium[event.medium]
    if not medium:
        return ""
    return fill(words.form, kind=words.kind[event.kind], medium=medium)


def counted(words: Wording, forms: Counted, count: int) -> str:
    """Return the text for a number, by the plural rules of the language."""
    category = Locale.parse(words.locale).plural_form(count)
    return fill(forms.get(category, forms["other"]), count=count)


def clock_time(words: Wording, moment: datetime) -> str:
    """Return a moment's weekday, day and time of day in the reader's zone."""
    local = in_zone(moment, words.zone)
    day = phrases_of(words).short_day(local.date(), local.date())
    return f"{day} {format_time(local, 'short', locale=words.locale)}"


#: How some values are written where space is short: behind each other in one line.
SHORT: dict[str, Callable[[Wording, Event], str]] = {
    "participants": surnames,
    "time": lambda words, event: when(words, event.when, event.last_seen.date() if event.last_seen else None),
    "medium": lambda words, event: words.medium[event.medium],
}
#: How the value of each fact is written, by its name in the policy.
VALUES: dict[str, Callable[[Wording, Event], str]] = {
    "status": lambda words, event: words.status[event.status],
    "time": lambda words, event: when(words, event.when),
    "place": lambda words, event: place(words, event.place),
    "medium": form,
    "participants": lambda words, event: who(words, event.participants),
}

"""Write the values of an event's facts in the reader's language: people, dates, places, kinds, numbers."""

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
from monitor.watchlist.press_names import press_name

#: The most people who are named; the others are counted ("and 5 others").
_NAMED = 4
#: The characters of a line that a locked phone shows, and the fewest of them that are left for the headline after news.
LINE = 110
_LEAST = 60


def phrases_of(words: Wording) -> BriefPhrases:
    """Return the phrases for headlines in the reader's language."""
    return phrases(words.language)


def line(words: Wording, event: Event, *, taken: int = 0) -> str:
    """Return the event in one line, shorter by the `taken` characters that another text needs."""
    harmless = _harmless(event)
    return clean(headline(harmless, words.zone, max(_LEAST, LINE - taken), words.language), LINE)


def _harmless(event: Event) -> Event:
    """Return the event with cleaned and shortened names."""
    people = tuple(replace(person, name=clean(person.name or person.leader, MAX_NAME)) for person in event.participants)
    place = event.place and replace(event.place, name=clean(event.place.name, MAX_NAME))
    return replace(event, participants=people, place=place)


def localized(words: Wording, event: Event) -> Event:
    """Return the event with its brief in the reader's language; unchanged for English."""
    if words.language == "en" or not event.brief:
        return event
    return replace(event, brief=brief(event, words.language))


def pair(words: Wording, event: Event) -> str:
    """Return the participants in the shortest form: `Macron–Merz`."""
    known, people = phrases_of(words), _harmless(event).participants
    text = known.between.join(map(known.surname, people[:2]))
    return clean(text if len(people) < 3 else f"{text} …", MAX_NAME)


def surnames(words: Wording, event: Event) -> str:
    """Return the participants' surnames, as in a headline."""
    return clean(phrases_of(words).surnames(_harmless(event).participants, _NAMED), MAX_TITLE)


def who(words: Wording, participants: Sequence[Participant], *, office: bool = False) -> str:
    """Return a list of the names, each with office and state if `office` is True."""
    named = participants[: _NAMED if len(participants) > _NAMED + 1 else None]
    names = [_person(words, person, office=office) for person in named]
    if left := len(participants) - len(named):
        names.append(phrases_of(words).others.of(left).format(n=left))
    return listed(words, names)


def _person(words: Wording, person: Participant, *, office: bool) -> str:
    name = clean(press_name(person.leader, words.language) or person.name or person.leader, MAX_NAME)
    title = [clean(person.office, MAX_NAME) if words.language == "en" else "", state(words, person.country)]
    known = ", ".join(part for part in title if part) if office else ""
    return fill(words.person, name=name, title=known) if known else name


def listed(words: Wording, texts: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return format_list(list(texts), locale=words.locale) if texts else ""


def when(words: Wording, moment: When | None, now: date | None = None) -> str:
    """Return the date of the contact with the weekday; '' when it is not known. The year of `now` is left out."""
    if moment is None:
        return ""
    return phrases_of(words).when(moment, short=True, now=now)


def place(words: Wording, found: Place | None) -> str:
    """Return city and state; '' when neither is known."""
    if found is None:
        return ""
    city, country = clean(phrases_of(words).town(found.name), MAX_NAME), state(words, found.country)
    if not city or city == country:
        return country
    return fill(words.place, city=city, state=country) if country else city


def state(words: Wording, code: str) -> str:
    """Return the name of a state or body by its code; the code itself when the watchlist does not know it."""
    found = bundled().states.get(code)
    if found is None:
        return clean(code, MAX_NAME)
    names = found.names.get(words.language, ())
    return found.name if words.language == "en" or not names else names[0]


def form(words: Wording, event: Event) -> str:
    """Return kind and medium, such as `meeting in person`; '' when the medium is not known (see the headline)."""
    medium = words.medium[event.medium]
    if not medium:
        return ""
    return fill(words.form, kind=words.kind[event.kind], medium=medium)


def counted(words: Wording, forms: Counted, count: int) -> str:
    """Return the text for a count, by the plural rules of the language."""
    category = Locale.parse(words.locale).plural_form(count)
    return fill(forms.get(category, forms["other"]), count=count)


def clock_time(words: Wording, moment: datetime) -> str:
    """Return weekday, day and time of a moment in the reader's time zone."""
    local = in_zone(moment, words.zone)
    day = phrases_of(words).short_day(local.date(), local.date())
    return f"{day} {format_time(local, 'short', locale=words.locale)}"


#: Short forms of some values, for old and new value in one line.
SHORT: dict[str, Callable[[Wording, Event], str]] = {
    "participants": surnames,
    "time": lambda words, event: when(words, event.when, event.last_seen.date() if event.last_seen else None),
    "medium": lambda words, event: words.medium[event.medium],
}
#: The functions that write the value of each fact, by its name in the policy.
VALUES: dict[str, Callable[[Wording, Event], str]] = {
    "status": lambda words, event: words.status[event.status],
    "time": lambda words, event: when(words, event.when),
    "place": lambda words, event: place(words, event.place),
    "medium": form,
    "participants": lambda words, event: who(words, event.participants),
}

"""Decides how an event is worded and who acts in it: a country is visited, a person is met, phoned or hosted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import msgspec

from monitor.assemble.brief.phrases import BriefPhrases, DeedForm, Forms, Inflected, Template, phrases
from monitor.records import Event, Kind, Medium, Participant, Place
from monitor.watchlist import bundled

#: Statuses that are stated about a noun: "the visit is postponed".
_OF_NOUN = frozenset({"postponed", "cancelled", "denied", "retracted"})
_FORMS: tuple[DeedForm, ...] = get_args(DeedForm)
_REMOTE = frozenset({"phone", "video", "remote"})


class Action(msgspec.Struct, frozen=True):
    """A deed's name in the language files, who acts, on whom (nobody if all act together), and the visited country."""

    deed: str
    who: tuple[Participant, ...]
    other: tuple[Participant, ...] = ()
    country: str = ""


def action_of(event: Event) -> Action:
    """Return the wording of the event. Contradicting roles are ignored."""
    return _action(event.kind, event.medium, event.participants, event.place)


def _action(kind: Kind, medium: Medium, participants: tuple[Participant, ...], place: Place | None) -> Action:
    callers = _of_role(participants, "caller")
    if medium == "phone":
        return _acting("phones", callers, participants) if len(callers) == 1 else Action("phone", participants)
    if medium in _REMOTE or kind == "call":
        return Action("video" if medium == "video" else "remote", participants)
    hosts, guests = _of_role(participants, "host"), _of_role(participants, "visitor")
    if hosts and guests:
        home = hosts[0].country
        if kind == "visit" and home and (place is None or not place.country or place.country == home):
            return Action("visit", guests, hosts, home)
        if len(hosts) == 1:
            return _acting("hosts", hosts, participants)
    if kind == "visit" and place is not None and place.country:
        at_home = tuple(p for p in participants if p.country == place.country)
        abroad = tuple(p for p in participants if p.country != place.country)
        if at_home and abroad:
            return Action("visit", abroad, at_home, place.country)
    if kind == "summit":
        return Action("summit", participants)
    return Action("talks" if kind == "talks" and medium == "unknown" else "meeting", participants)


def _of_role(participants: Sequence[Participant], role: str) -> tuple[Participant, ...]:
    return tuple(p for p in participants if p.role == role)


def _acting(deed: str, who: tuple[Participant, ...], everybody: tuple[Participant, ...]) -> Action:
    return Action(deed, who, tuple(p for p in everybody if p not in who))


def in_order(participants: Sequence[Participant], kind: Kind) -> tuple[Participant, ...]:
    """Return the participants, those who act first in front: the caller, the guest of a visit, else the host."""
    first = "visitor" if kind == "visit" else "host"
    rank = {"caller": 0, first: 0, "": 1}
    return tuple(sorted(participants, key=lambda p: rank.get(p.role, 2)))


def fill(template: Template, event: Event, action: Action, words: BriefPhrases, **names: str) -> str:
    """Fill a status's template with the forms of the deed and with `names`; the result starts with a capital."""
    deed = words.deeds[action.deed]
    women = all(_is_woman(p) for p in action.who)
    if isinstance(template, Forms):
        of_noun = event.status in _OF_NOUN
        template = template.of(1 + deed.plural if of_noun else len(action.who), women=women and not of_noun)
    entries = {**_countries(action, words), **names}
    forms = {form: deed.form(form, len(action.who), women=women).format(**entries) for form in _FORMS}
    line = template.format(**entries, **forms)
    return line[:1].upper() + line[1:]


def noun_of(event: Event, language: str = "en") -> str:
    """Return a noun for the event: `phone call`, `visit to Germany`."""
    words, action = phrases(language), action_of(event)
    return words.deeds[action.deed].noun.format(**_countries(action, words))


def _countries(action: Action, words: BriefPhrases) -> dict[str, str]:
    forms: tuple[Inflected, ...] = ("country", "in_country", "to_country")
    return {form: words.country(action.country, form) for form in forms}


def _is_woman(participant: Participant) -> bool:
    known = bundled().leaders.get(participant.leader)
    return known is not None and known.gender == "f"

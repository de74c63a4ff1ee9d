"""Which keys of a feed identify its entries: chosen from what the feed does, and changed when the choice fails. Pure.

A guid is what a feed calls an entry, and mostly right. Where it is not, feeds fail in known ways: no guid, one guid for
many entries, guids that are positions, guids or links that are new at every poll. So each poll says how well each key
did, and the feed goes on with the best one that did not fail. The choice and its reason stand in the feed's state and
in `summitry feeds list`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from monitor.feeds.novelty.entry_keys import EntryKeys, changed_names
from monitor.feeds.novelty.seen import KnownStory

Kind = Literal["guid", "link", "title+date", "words"]
#: From the best to the last resort, which can't fail.
KINDS: tuple[Kind, ...] = ("guid", "link", "title+date", "words")

#: Above this share of entries that have the key of another one a key fails.
COLLISION_SHARE = 0.3
#: Above this share of known stories that came with a new key a key fails.
TURNOVER_SHARE = 0.5
#: Below this share of entries that have the key at all it fails.
PRESENT_SHARE = 0.5
#: Fewer entries than this say nothing about collisions and turnover.
ENOUGH = 4
_MOST_VOLATILE = 5
#: Known entries that kept their key in one poll, before the key counts as steady.
_STEADY = 3
_NAMES = {"guid": "guid", "link": "link", "title+date": "title and date", "words": "words"}


#: Polls in a row with nothing but foreign corrections after which keys are not believed any more.
_DOUBTED_POLLS = 3


class Choice(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """How the entries of a feed are told apart, and why.

    `dates_move` says that entries come with a new date at every poll, `links_move` that their links do not stay with
    them, though their guids do. `guids_hold` and `links_hold` say that they were seen to stay with their entries.

    `volatile` are names of link parameters that change at every poll and are ignored. `corrected` counts polls in a row
    in which every entry was a correction that had nothing in common with what it corrected. An empty `kind` is that of
    a feed that was not read yet.
    """

    kind: str = ""
    why: str = ""
    volatile: tuple[str, ...] = ()
    corrected: int = 0
    dates_move: bool = False
    links_move: bool = False
    guids_hold: bool = False
    links_hold: bool = False

    def __str__(self) -> str:
        name = _NAMES.get(self.kind, self.kind)
        left_out = f" without {', '.join(self.volatile)}" if self.volatile and self.kind != "guid" else ""
        return name + left_out

    def trusts(self, kind: Kind) -> bool:
        """Tell whether a key identifies by itself: the chosen one and those that come after it in `KINDS`."""
        return kind == self.kind or (kind == "link" and self.kind == "guid" and not self.links_move)


#: Whether any story has the key of that name ("guid" or "link").
IsKnown = Callable[[str, bytes], bool]
Pairs = Sequence[tuple[EntryKeys, KnownStory]]


def from_document(entries: Sequence[EntryKeys], before: Choice, forced: str) -> Choice:
    """Return the choice as far as a document alone tells, before its entries are compared with known stories."""
    if forced:
        return msgspec.structs.replace(before, kind=forced, why="as the subscription says")
    start = KINDS.index(before.kind) if before.kind in KINDS else 0
    failures: list[str] = []
    for kind in KINDS[start:]:
        if reason := _fails_in(entries, kind):
            failures.append(reason)
        else:
            if kind == before.kind:
                return before
            return msgspec.structs.replace(before, kind=kind, why="; ".join(failures), corrected=0)
    raise AssertionError("words never fail")


def from_matches(entries: Sequence[EntryKeys], choice: Choice, same: Pairs, is_known: IsKnown) -> Choice:
    """Return the choice after the stories with known words were found in a document: `same` are their pairs.

    `is_known` tells whether a story has a guid or link.
    """
    choice = _with_dates(choice, same)
    if choice.kind == "guid" and (reason := _turned(same, "guid", lambda e, s: (e.guid, s.guid), is_known)):
        choice = _next(entries, choice, reason)
    if names := _volatile(same):
        listed = tuple(dict.fromkeys((*choice.volatile, *names)))[:_MOST_VOLATILE]
        reason = f"{', '.join(names)} in the links changed from poll to poll"
        return msgspec.structs.replace(choice, volatile=listed, why="; ".join(filter(None, (choice.why, reason))))
    links_turned = bool(_turned(same, "link", _places, is_known))
    choice = msgspec.structs.replace(
        choice,
        links_move=choice.links_move or (choice.kind == "guid" and links_turned),
        guids_hold=choice.kind == "guid" and (choice.guids_hold or _held(same, "guid")),
        links_hold=not links_turned and (choice.links_hold or _held(same, "link")),
    )
    if choice.kind == "link" and (reason := _turned(same, "link", _places, is_known)):
        choice = _next(entries, choice, reason)
    return choice


def after_corrections(choice: Choice, *, all_foreign: bool) -> Choice:
    """Count polls that brought nothing but corrections that have nothing in common with what they correct.

    After three of them the feed's keys stand for places in a list rather than for stories, and words decide.
    """
    if not all_foreign:
        return msgspec.structs.replace(choice, corrected=0) if choice.corrected else choice
    if choice.corrected + 1 < _DOUBTED_POLLS:
        return msgspec.structs.replace(choice, corrected=choice.corrected + 1)
    why = "for three polls, each entry came with another title, text and date under its old keys"
    return msgspec.structs.replace(choice, kind="words", why=why, corrected=0)


def _with_dates(choice: Choice, same: Pairs) -> Choice:
    """Learn whether dates move: from two known entries on, when the date of each has changed, until one has not."""
    pairs = [(entry.date, story.date) for entry, story in same if entry.date and story.date]
    moved = sum(new != old for new, old in pairs)
    if pairs and moved == len(pairs) > 1:
        return msgspec.structs.replace(choice, dates_move=True)
    return msgspec.structs.replace(choice, dates_move=False) if moved < len(pairs) and choice.dates_move else choice


def _next(entries: Sequence[EntryKeys], choice: Choice, reason: str) -> Choice:
    """The best kind after a failed one that does not fail in this document."""
    failed = KINDS.index(choice.kind)
    kind = next(kind for kind in KINDS[failed + 1 :] if not _fails_in(entries, kind))
    return msgspec.structs.replace(choice, kind=kind, why=reason, corrected=0)


def _fails_in(entries: Sequence[EntryKeys], kind: Kind) -> str:
    """Why a key tells the entries of a document apart no more, '' when it does."""
    if kind == "words" or not entries:
        return ""
    values = [_value(entry, kind) for entry in entries]
    present = [value for value in values if value]
    if len(present) < PRESENT_SHARE * len(entries):
        return f"{len(entries) - len(present)} of {len(entries)} entries have no {_NAMES[kind]}"
    counts = Counter(present)
    sharing = sum(count for count in counts.values() if count > 1)
    extra = len(present) - len(counts)
    if len(present) >= ENOUGH and extra > COLLISION_SHARE * len(present):
        return f"{sharing} of {len(present)} entries share their {_NAMES[kind]} with another one"
    return ""


def _value(entry: EntryKeys, kind: Kind) -> bytes:
    if kind == "guid":
        return entry.guid
    if kind == "link":
        return entry.link
    return entry.title + entry.date if entry.title and entry.date else b""


def _places(entry: EntryKeys, story: KnownStory) -> tuple[bytes, bytes]:
    """Two links are only as different as their paths and parameters: hosts and fragments may change in turn."""
    return (entry.link, story.link) if entry.link == story.link else (entry.place, story.place)


def _held(same: Pairs, name: str) -> bool:
    """Whether several known entries, and most of them, came with the key that they had."""
    kept: list[bool] = [getattr(entry, name) == getattr(story, name) for entry, story in same if getattr(entry, name)]
    return sum(kept) >= _STEADY and sum(kept) > len(kept) / 2


def _turned(
    same: Pairs, name: str, keys: Callable[[EntryKeys, KnownStory], tuple[bytes, bytes]], is_known: IsKnown
) -> str:
    """Why a key does not stay with its story, '' when it does."""
    pairs = [(new, old) for entry, story in same for new, old in [keys(entry, story)] if new and old]
    turned = sum(new != old for new, old in pairs)
    swapped = sum(new != old and is_known(name, new) for new, old in pairs)
    if swapped > 1 or (swapped and len(pairs) < ENOUGH):
        return f"{swapped} of {len(pairs)} known entries came with the {name} of another one"
    if turned == len(pairs) > 1 or (len(pairs) >= ENOUGH and turned > TURNOVER_SHARE * len(pairs)):
        return f"{turned} of {len(pairs)} known entries came with a new {name}"
    return ""


def _volatile(same: Pairs) -> tuple[str, ...]:
    """Names of parameters of links whose values changed in every known entry."""
    changed: Counter[str] = Counter()
    kept: set[str] = set()
    for entry, story in same:
        if entry.path and entry.path == story.path and entry.parameters != story.parameters:
            new, old = changed_names(entry.names, story.parameters, entry.parameters)
            changed.update(new)
            kept |= old
        elif entry.link == story.link:
            kept |= set(entry.names)
    return tuple(name for name, count in changed.items() if count > 1 and name not in kept)

"""Choose, for each feed, the key that identifies its entries; choose another one when it fails. Pure.

Mostly that is the guid. But some feeds have no guids, one guid for many entries, guids that are only positions in the
list, or new guids and links at every poll. So each poll measures how well the keys worked, and the feed uses the best
one that has not failed. The choice and its reason are stored in the feed's state and shown by `summitry feeds list`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from monitor.feeds.novelty.entry_keys import EntryKeys, changed_names
from monitor.feeds.novelty.seen import KnownStory

Kind = Literal["guid", "link", "title+date", "words"]
#: The keys, the best first. The last one, the words of the entry, can't fail.
KINDS: tuple[Kind, ...] = ("guid", "link", "title+date", "words")

#: A key fails when more than this share of the entries have the key of another entry.
COLLISION_SHARE = 0.3
#: A key fails when more than this share of the known stories came with a new key.
TURNOVER_SHARE = 0.5
#: A key fails when less than this share of the entries have it at all.
PRESENT_SHARE = 0.5
#: With fewer entries than this, the shares of collisions and new keys prove nothing.
ENOUGH = 4
_MOST_VOLATILE = 5
#: A key counts as stable once this many known entries have kept it in one poll.
_STEADY = 3
_NAMES = {"guid": "guid", "link": "link", "title+date": "title and date", "words": "words"}


#: A "foreign" correction has nothing in common with its story. After this many polls in a row with only foreign
#: corrections, the keys are not trusted any more.
_DOUBTED_POLLS = 3
#: After this many polls in a row in which nearly all known entries had new texts, texts are not trusted any more.
_RESTLESS_POLLS, _RESTLESS_SHARE = 3, 0.8


class KeyChoice(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """The key (`kind`) that identifies the entries of a feed, and why it was chosen.

    `guids_hold` and `links_hold` mean that entries were seen to keep their guid or link from poll to poll. `links_move`
    means that links change although guids stay, `dates_move` that dates change at every poll.

    `volatile` are the names of link parameters that change at every poll and are ignored. `corrected` counts the polls
    in a row in which every entry was a correction with nothing in common with its story. `kind` is '' for a feed that
    was not read yet. `restless` counts the polls in a row in which nearly every text had changed under its title.
    """

    kind: str = ""
    why: str = ""
    volatile: tuple[str, ...] = ()
    corrected: int = 0
    dates_move: bool = False
    links_move: bool = False
    guids_hold: bool = False
    links_hold: bool = False
    restless: int = 0

    @property
    def texts_move(self) -> bool:
        """Whether texts change at every poll: counters, fingerprints, advertisements."""
        return self.restless >= _RESTLESS_POLLS

    def __str__(self) -> str:
        name = _NAMES.get(self.kind, self.kind)
        left_out = f" without {', '.join(self.volatile)}" if self.volatile and self.kind != "guid" else ""
        return name + left_out

    def trusts(self, kind: Kind) -> bool:
        """Tell whether a key alone identifies an entry: the chosen key, and links beside guids unless links move."""
        return kind == self.kind or (kind == "link" and self.kind == "guid" and not self.links_move)


#: Tells whether any known story has a key. The first argument is "guid", or "place" for links (see `EntryKeys.place`).
IsKnown = Callable[[str, bytes], bool]
Pairs = Sequence[tuple[EntryKeys, KnownStory]]


def from_document(entries: Sequence[EntryKeys], before: KeyChoice, forced: str) -> KeyChoice:
    """Return the choice after a look at the document alone, before its entries are compared with known stories.

    `before` is the choice of the last poll; `forced` is the subscription's `identity`, '' for none.
    """
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


def from_matches(entries: Sequence[EntryKeys], choice: KeyChoice, same: Pairs, is_known: IsKnown) -> KeyChoice:
    """Return the choice after the entries whose words are known were found.

    `same` pairs each of them with its story, so it shows which keys stayed the same.
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


def after_texts(choice: KeyChoice, *, known: int, retexted: int) -> KeyChoice:
    """Count polls in a row in which nearly all known entries have another text under their old title.

    Such texts hold counters, fingerprints or advertisements: nobody corrects nearly everything at every poll.
    """
    if known < ENOUGH:
        return choice
    restless = min(choice.restless + 1, _RESTLESS_POLLS) if retexted >= _RESTLESS_SHARE * known else 0
    return msgspec.structs.replace(choice, restless=restless) if restless != choice.restless else choice


def after_corrections(choice: KeyChoice, *, all_foreign: bool) -> KeyChoice:
    """Count the polls in a row in which every entry was a correction with nothing in common with its story.

    After three of them the feed's keys must be positions in a list, so the words of entries identify them from then on.
    """
    if not all_foreign:
        return msgspec.structs.replace(choice, corrected=0) if choice.corrected else choice
    if choice.corrected + 1 < _DOUBTED_POLLS:
        return msgspec.structs.replace(choice, corrected=choice.corrected + 1)
    why = "for three polls, each entry came with another title, text and date under its old keys"
    return msgspec.structs.replace(choice, kind="words", why=why, corrected=0)


def _with_dates(choice: KeyChoice, same: Pairs) -> KeyChoice:
    """Set `dates_move` when two or more known entries all have a new date; clear it when one kept its date."""
    pairs = [(entry.date, story.date) for entry, story in same if entry.date and story.date]
    moved = sum(new != old for new, old in pairs)
    if pairs and moved == len(pairs) > 1:
        return msgspec.structs.replace(choice, dates_move=True)
    return msgspec.structs.replace(choice, dates_move=False) if moved < len(pairs) and choice.dates_move else choice


def _next(entries: Sequence[EntryKeys], choice: KeyChoice, reason: str) -> KeyChoice:
    """Return the choice of the next key in KINDS that does not fail in this document."""
    failed = KINDS.index(choice.kind)
    kind = next(kind for kind in KINDS[failed + 1 :] if not _fails_in(entries, kind))
    return msgspec.structs.replace(choice, kind=kind, why=reason, corrected=0)


def _fails_in(entries: Sequence[EntryKeys], kind: Kind) -> str:
    """Return why a key does not tell the entries of this document apart, '' when it does."""
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
    """Return the keys to compare two links by: without host and fragment, which may alternate, if they differ."""
    return (entry.link, story.link) if entry.link == story.link else (entry.place, story.place)


def _held(same: Pairs, name: str) -> bool:
    """Tell whether at least three known entries, and more than half of them, kept their key."""
    kept: list[bool] = [getattr(entry, name) == getattr(story, name) for entry, story in same if getattr(entry, name)]
    return sum(kept) >= _STEADY and sum(kept) > len(kept) / 2


def _turned(
    same: Pairs, name: str, keys: Callable[[EntryKeys, KnownStory], tuple[bytes, bytes]], is_known: IsKnown
) -> str:
    """Return why a key does not stay with its story, '' when it does."""
    pairs = [(new, old) for entry, story in same for new, old in [keys(entry, story)] if new and old]
    turned = sum(new != old for new, old in pairs)
    swapped = sum(new != old and is_known("place" if name == "link" else name, new) for new, old in pairs)
    if swapped > 1 or (swapped and len(pairs) < ENOUGH):
        return f"{swapped} of {len(pairs)} known entries came with the {name} of another one"
    if turned == len(pairs) > 1 or (len(pairs) >= ENOUGH and turned > TURNOVER_SHARE * len(pairs)):
        return f"{turned} of {len(pairs)} known entries came with a new {name}"
    return ""


def _volatile(same: Pairs) -> tuple[str, ...]:
    """Return the names of link parameters whose values changed in every known entry."""
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

"""Find the known story, if any, of each entry of a document. Pure.

Entries are matched with stories in steps, from the strongest evidence to the weakest; each story is matched once. The
first steps look for the same words (title, summary and text): such an entry is the known story, even with a new guid or
link. An entry with new words is a correction only when a trusted key matches and nothing contradicts it. In doubt an
entry counts as new: a story published twice does less harm than one published as a correction of another story.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property

from monitor.feeds.novelty.entry_keys import EntryKeys, shared_texts
from monitor.feeds.novelty.key_choice import KeyChoice
from monitor.feeds.novelty.seen import KnownStory
from monitor.feeds.novelty.story_index import ENTRY_KEYS, KeyCounts, Stories

#: When this many entries match a story by a key alone, and no entry kept its words, the feed was probably rebuilt and
#: its keys were given to new stories. Then the entries are new.
MASS = 4

#: A guid that is a small number, maybe with a word before it, such as `item-12`. Feeds use those again.
_SMALL_NUMBER = re.compile(r"[^\W\d]{0,12}[\W_]?\d{1,5}")

Test = Callable[[EntryKeys, KnownStory], bool]


class Matching:
    """Matches the entries of one document with known stories. Call `known` first, then `corrections`.

    `today` is in days since 1970-01-01 UTC. `forced` means that the subscription sets the key that identifies entries.
    The result is in `found`.
    """

    def __init__(self, entries: Sequence[EntryKeys], stories: Stories, today: int, *, forced: bool = False) -> None:
        self.entries = entries
        self._today = today
        self._forced = forced
        self.stories = stories
        #: The story of each matched entry, by the entry's index.
        self.found: dict[int, KnownStory] = {}
        #: Indexes of corrections that have neither a text nor the date in common with their story.
        self.foreign: set[int] = set()
        self._taken: set[bytes] = set()
        self._counts = KeyCounts(entries)
        #: When all entries have the same date, it is the document's and tells nothing about an entry.
        self._dates_differ = len(entries) < 2 or len(self._counts["date"]) > 1

    def known(self, choice: KeyChoice) -> None:
        """Match the entries whose words are known."""
        self._dates_differ = self._dates_differ and not choice.dates_move
        self._take("words", lambda e, s: _same(e.guid, s.guid) and _same(e.link, s.link))
        self._take("words", lambda e, s: _same(e.guid, s.guid) and self._is_at_home(e, s, "guid"))
        self._take("words", lambda e, s: _same(e.link, s.link) and self._is_at_home(e, s, "link"))
        self._take("words", lambda e, s: _same(e.place, self.stories.place(s)) and self._is_at_home(e, s, "place"))
        self._take("words", lambda e, s: _same(e.date, s.date))
        self._take("words", lambda e, s: _same(e.path, s.path) and not self._other_date(e, s))
        self._take_by_words_alone(choice)

    def corrections(self, choice: KeyChoice) -> None:
        """Match the entries that are corrections of known stories. `choice` is the final choice of the key."""
        kinds = [kind for kind in ("guid", "link", "place") if choice.trusts("guid" if kind == "guid" else "link")]
        for kind in kinds:
            self._take(kind, lambda e, s, kind=kind: self._agrees(e, s, kind, choice))  # type: ignore[misc]
        if "link" in kinds:
            # Where no parameter tells pages apart, one may have the number of an edit.
            self._take("path", lambda e, s: self.stories.is_proven("path") and self._agrees(e, s, "path", choice))
        if not choice.links_move:
            self._take_foreign("guid", self._is_same_link, choice)
        self._take_foreign("guid", lambda e, s: self._is_all_there_is(e, s, choice), choice)
        self._take_foreign("link", lambda e, s: self._is_same_page(e, s, choice), choice)
        self._take_foreign("place", lambda e, s: self._is_same_page(e, s, choice), choice)
        self._take_foreign("path", lambda e, s: self._is_same_path(e, s, choice), choice)
        self._take_renamed("title", choice)
        self._take_renamed("summary", choice)
        self._take("title", self._is_all_but_words)
        if choice.kind in {"title+date", "words"}:
            # No key is reliable in this feed, so an entry with the same title or summary is the same story.
            for kind in ("title", "summary"):
                self._take(kind, lambda e, s, kind=kind: self._is_alone(e, kind) and not self._other_date(e, s))  # type: ignore[misc]

    def _left(self) -> list[int]:
        if not self.stories:
            return []  # there is no story to match
        return [number for number in range(len(self.entries)) if number not in self.found]

    def _take(self, kind: str, test: Test) -> None:
        """Match each remaining entry with the latest story that has the same key and passes the test."""
        known, key = self.stories.by(kind), ENTRY_KEYS[kind]
        for number in self._left():
            entry = self.entries[number]
            for story in reversed(known.get(key(entry), ())):
                if story.id not in self._taken and test(entry, story):
                    self._assign(number, story)
                    break

    def _candidate(self, entry: EntryKeys, kind: str, test: Test) -> KnownStory | None:
        for story in reversed(self.stories.find(kind, ENTRY_KEYS[kind](entry))):
            if story.id not in self._taken and test(entry, story):
                return story
        return None

    def _assign(self, number: int, story: KnownStory) -> None:
        self.found[number] = story
        self._taken.add(story.id)

    def _take_by_words_alone(self, choice: KeyChoice) -> None:
        """Match entries whose words are known but whose keys are all new, as in a feed with new keys at each poll.

        Outlets also repeat themselves: "Weather" under a new link and date is a new entry. So more evidence is needed,
        such as several entries like that, or a story's old keys being on another entry of the document.
        """
        pairs = [
            (number, story)
            for number in self._left()
            if (story := self._candidate(self.entries[number], "words", lambda *_: True))
        ]
        if pairs:
            # When an entry with the same words kept its keys, one with other keys is a different entry.
            at_home = {self.entries[number].words for number in self.found}
            pairs = [
                (number, story)
                for number, story in pairs
                if not (self.entries[number].words in at_home and _has_name(self.entries[number], choice))
            ]
        fluent = len(pairs) > 1 and len(pairs) >= len(self.found)
        for number, story in pairs:
            entry = self.entries[number]
            told = entry.has_body
            displaced = self._is_used(story.guid, "guid") or self._is_used(story.link, "link")
            same_time = not self._other_date(entry, story)
            alone = len(self.entries) == 1 and told
            nameless = not (_has_name(entry, choice) and _has_name(story, choice))
            both_new = bool(entry.guid and story.guid and entry.link and story.link)
            unsure = (
                nameless
                or (told and not both_new)
                or choice.kind in {"title+date", "words"}
                or alone
                or displaced
                or fluent
            )
            gone = not (self._is_used(story.guid, "guid") or self._is_used(story.link, "link"))
            enough = entry.says_enough or (story.day == self._today and entry.says_something)
            again = enough and gone and len(self.stories.find("words", entry.words)) == 1
            if story.id not in self._taken and (
                (same_time and unsure) or (fluent and told) or (displaced and told) or again
            ):
                self._assign(number, story)

    def _is_used(self, key: bytes, kind: str) -> bool:
        return bool(key) and self._counts[kind][key] > 0

    def _agrees(self, entry: EntryKeys, story: KnownStory, kind: str, choice: KeyChoice) -> bool:
        """Tell whether an entry and a story with the same key also have a text or the date in common."""
        if not self._is_own(entry, kind):
            others = (("guid", entry.guid, story.guid), ("link", entry.link, story.link))
            differ = {name for name, new, old in others if new and old and new != old and choice.trusts(name)}  # type: ignore[arg-type]
            if differ - {kind if kind == "guid" else "link"} or self._other_date(entry, story):
                return False
        texts = shared_texts(entry.content, story.content)
        if any(self._counts[name][value] == 1 for name, value in texts):
            return True
        other_guid = choice.guids_hold and bool(entry.guid and story.guid) and entry.guid != story.guid
        if other_guid and entry.has_only_a_day:
            return False  # another story of that day, under the same link
        is_own = self._is_own(entry, kind)
        return is_own and _same(entry.date, story.date) and self._counts["date"][entry.date] == 1

    def _other_date(self, entry: EntryKeys, story: KnownStory) -> bool:
        """Tell whether both have a date, and the dates differ."""
        return self._dates_differ and bool(entry.date and story.date) and entry.date != story.date

    def _is_at_home(self, entry: EntryKeys, story: KnownStory, kind: str) -> bool:
        """Tell whether the key is unique, or the dates are equal.

        A key that several stories share proves little: an entry under it with known words and a new date may be new.
        """
        return self._is_own(entry, kind) or not self._other_date(entry, story)

    def _is_own(self, entry: EntryKeys, kind: str) -> bool:
        """Tell whether no other entry and at most one story have this key."""
        value = ENTRY_KEYS[kind](entry)
        shared = self._counts[kind][value] > 1 or len(self.stories.find(kind, value)) > 1
        return not shared and not (entry.is_home and kind != "guid")

    def _take_renamed(self, kind: str, choice: KeyChoice) -> None:
        """Match entries that have the date and the title (or summary) in common with a story.

        When guids and links are stable in this feed, an entry with another guid and link is a different one. The
        exception is a document where most entries are like that, as after a change of the site's software.
        """
        pairs = [
            (number, story)
            for number in self._left()
            if self._is_alone(self.entries[number], kind)
            and (story := self._candidate(self.entries[number], f"{kind}+date", lambda *_: True))
        ]
        others = {number for number, story in pairs if _is_other(self.entries[number], story, choice)}
        moved = len(others) >= MASS and 2 * len(others) >= len(self.entries)
        for number, story in pairs:
            if story.id not in self._taken and (moved or number not in others):
                self._assign(number, story)

    def _is_all_but_words(self, entry: EntryKeys, story: KnownStory) -> bool:
        """Tell whether both have a long title but no link and no date, and the story's guid is gone.

        Such feeds make the guid from the words, so it changes with every correction.
        """
        bare = not (entry.link or story.link or entry.date or story.date or self._is_used(story.guid, "guid"))
        return bare and entry.has_distinctive_title and self._is_alone(entry, "title")

    def _is_alone(self, entry: EntryKeys, kind: str) -> bool:
        value = ENTRY_KEYS[kind](entry)
        return self._counts[kind][value] == 1 and len(self.stories.find(kind, value)) == 1

    def _take_foreign(self, kind: str, test: Test, choice: KeyChoice) -> None:
        """Match corrections by a unique key alone, although title, text and maybe the date are all new."""
        if choice.kind in {"title+date", "words"}:
            return
        pairs = [
            (number, story)
            for number in self._left()
            if self._is_own(self.entries[number], kind)
            and (story := self._candidate(self.entries[number], kind, test))
            and not self._is_used_again(self.entries[number], story, choice)
        ]
        holds = choice.guids_hold if kind == "guid" else choice.links_hold
        if kind == "guid" and choice.links_hold:
            # After a change of the site's software ids may start again from 1; then every entry has another page too.
            holds = any(_same(self.entries[number].path, story.path) for number, story in pairs)
        if len(pairs) >= MASS and not (self.found or self._forced or holds):
            return
        for number, story in pairs:
            if story.id not in self._taken:
                self._assign(number, story)
                if self._other_date(self.entries[number], story):
                    self.foreign.add(number)

    def _is_used_again(self, entry: EntryKeys, story: KnownStory, choice: KeyChoice) -> bool:
        """Tell whether an entry reuses the link of a story that has left the feed.

        This is asked of entries with another headline, text and date. A guid that is not the link proves the opposite.
        Dates that change at every poll prove nothing.
        """
        has_guid = bool(entry.guid) and (entry.gid != entry.address or "#" in entry.entry.guid)
        return not (self._forced or story.here or has_guid or choice.dates_move or _same(entry.date, story.date))

    def _is_same_link(self, entry: EntryKeys, story: KnownStory) -> bool:
        """Tell whether they have the same link and nobody else has it."""
        if _same(entry.link, story.link) and self._is_own(entry, "link"):
            return True
        return _same(entry.place, self.stories.place(story)) and self._is_own(entry, "place")

    def _is_all_there_is(self, entry: EntryKeys, story: KnownStory, choice: KeyChoice) -> bool:
        """Tell whether the guid alone proves the match: guids are stable in this feed, or nothing contradicts it."""
        if self._forced:
            return choice.kind == "guid"
        if not choice.trusts("guid"):
            return False
        other_date = self._other_date(entry, story)
        if not choice.guids_hold:
            return not (other_date or (entry.link and story.link and not self._guids_name_pages))
        # Feeds use small numbers again, for another story with another page and date. A longer guid is trusted even if
        # headline, link and date have all changed, as long as the story has not left the feed.
        other_page = choice.links_hold and bool(entry.path and story.path) and entry.path != story.path
        if _SMALL_NUMBER.fullmatch(entry.gid) and not self._guids_name_pages:
            # With a page that no story had, that both are of one day proves nothing.
            other_date = other_date or (entry.has_only_a_day and not self.stories.find("path", entry.path))
            return not (other_page and other_date)
        return not (other_date and other_page and not story.here)

    @cached_property
    def _guids_name_pages(self) -> bool:
        """Whether most guids have a number that is in the link, too. The place in a list may be, for one entry."""
        return sum(entry.has_guid_in_link for entry in self.entries) > len(self.entries) / 2

    def _is_same_page(self, entry: EntryKeys, story: KnownStory, choice: KeyChoice) -> bool:
        """Tell whether the link alone proves the match: no two stories shared a link, and no guid contradicts it."""
        if self._forced:
            return choice.kind == "link"
        other_guid = choice.kind == "guid" and bool(entry.guid and story.guid)
        if other_guid and (choice.guids_hold or self._other_date(entry, story)):
            return False
        return (
            choice.trusts("link")
            and choice.links_hold
            and (self.stories.is_proven("link") or self.stories.is_proven("place"))
        )

    def _is_same_path(self, entry: EntryKeys, story: KnownStory, choice: KeyChoice) -> bool:
        """Tell whether the path of the link and the date prove the match: no two stories shared a path."""
        is_same = not self._forced and _same(entry.date, story.date) and self._is_same_page(entry, story, choice)
        return is_same and self.stories.is_proven("path")


def _is_other(entry: EntryKeys, story: KnownStory, choice: KeyChoice) -> bool:
    """Tell whether both guid and link differ, in a feed where both are stable."""
    return (
        choice.guids_hold
        and choice.links_hold
        and bool(entry.guid and story.guid and entry.link and story.link)
        and entry.guid != story.guid
        and entry.link != story.link
    )


def _has_name(one: EntryKeys | KnownStory, choice: KeyChoice) -> bool:
    """Tell whether the entry or story has a key that identifies it in this feed."""
    return bool((one.guid and choice.trusts("guid")) or (one.link and choice.trusts("link")))


def _same(first: bytes, second: bytes) -> bool:
    return bool(first) and first == second

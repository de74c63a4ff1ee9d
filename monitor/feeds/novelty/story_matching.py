"""Which known story each entry of a document is, if any. Pure.

Entries are compared with stories in steps, from the strongest evidence to the weakest; a story that one entry was found
to be is no other's any more. Words come first: an entry whose words are known is that story wherever its guid or link
has gone, and an entry whose words are new can only be a correction when its keys say so and nothing speaks against it.
In doubt an entry is new: a story told twice does less harm than one told as a correction of another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from monitor.feeds.formats.content_hash import SUMMARY, TEXT, TITLE, WORDS
from monitor.feeds.novelty.entry_keys import TEXT_PARTS, EntryKeys, part, shared_texts, without
from monitor.feeds.novelty.key_choice import Choice
from monitor.feeds.novelty.seen import KnownStory

#: With so many stories in memory, none of which shares its key with another one, the key is proven.
PROVEN = 4
#: When so many entries of a document are corrections by their keys alone, and none of its keys held, all were replaced.
MASS = 4

Test = Callable[[EntryKeys, KnownStory], bool]


class Stories:
    """Known stories, found by their keys: those that have any key or text in common with the entries of a document.

    `volatile` are parameters that links are compared without.
    """

    def __init__(
        self, stories: Iterable[KnownStory], entries: Sequence[EntryKeys], volatile: Sequence[str] = ()
    ) -> None:
        self._all = list(stories)
        self._near = _near(self._all, entries)
        self._volatile = volatile
        self._indexes: dict[str, dict[bytes, list[KnownStory]]] = {}

    def place(self, story: KnownStory) -> bytes:
        """Return the story's link without host, fragment and volatile parameters; b"" for none."""
        return story.path + without(story.parameters, self._volatile) if story.path else b""

    def find(self, kind: str, value: bytes) -> list[KnownStory]:
        """Return all stories with a key, the oldest first."""
        return self._index(kind).get(value, []) if value else []

    def is_proven(self, kind: str) -> bool:
        """Tell whether a key has told stories apart for long enough to be trusted alone."""
        of = self._key(kind)
        values = [value for story in self._all if story.content and (value := of(story))]
        return PROVEN <= len(values) == len(set(values))

    def _index(self, kind: str) -> dict[bytes, list[KnownStory]]:
        if kind not in self._indexes:
            index: dict[bytes, list[KnownStory]] = {}
            of = self._key(kind)
            for story in self._near:
                if value := of(story):
                    index.setdefault(value, []).append(story)
            self._indexes[kind] = index
        return self._indexes[kind]

    def _key(self, kind: str) -> Callable[[KnownStory], bytes]:
        keys: dict[str, Callable[[KnownStory], bytes]] = {
            "guid": lambda story: story.guid,
            "link": lambda story: story.link,
            "place": self.place,
            "words": lambda story: story.content[WORDS],
            "title": lambda story: part(story.content, TITLE),
            "summary": lambda story: part(story.content, SUMMARY),
            "date": lambda story: story.date,
            "title+date": lambda story: _pair(part(story.content, TITLE), story.date),
            "summary+date": lambda story: _pair(part(story.content, SUMMARY), story.date),
        }
        return keys[kind]


def _near(stories: Iterable[KnownStory], entries: Sequence[EntryKeys]) -> list[KnownStory]:
    """Return the stories that any entry could be; most that a feed has told have nothing in common with a document."""
    guids, links, paths, dates = (
        {getattr(e, name) for e in entries} - {b""} for name in ("guid", "link", "path", "date")
    )
    titles, summaries, texts = ({part(e.content, where) for e in entries} - {b""} for where in (TITLE, SUMMARY, TEXT))
    return [
        story
        for story in stories
        if story.guid in guids
        or story.link in links
        or story.content[TITLE] in titles
        or story.path in paths
        or story.date in dates
        or story.content[SUMMARY] in summaries
        or story.content[TEXT] in texts
    ]


class Matching:
    """Finds the stories of one document's entries. Run `known` first, then `corrections` with the final choice.

    `forced` says that the subscription named the key that identifies.
    """

    def __init__(self, entries: Sequence[EntryKeys], stories: Stories, *, forced: bool = False) -> None:
        self.entries = entries
        self._forced = forced
        self.stories = stories
        #: Story of the entry with that number.
        self.found: dict[int, KnownStory] = {}
        #: Numbers of entries that are corrections and have neither a text nor the date in common with their story.
        self.foreign: set[int] = set()
        self._taken: set[bytes] = set()
        self._counts = {
            kind: Counter(value for entry in entries if (value := _entry_key(entry, kind)))
            for kind in ("guid", "link", "place", "title", "summary", "text", "date")
        }
        #: One date for all entries is that of the document, and says nothing of any of them.
        self._dates_tell = len(entries) < 2 or len(self._counts["date"]) > 1

    def known(self, choice: Choice) -> None:
        """Find the entries whose words are known."""
        self._dates_tell = self._dates_tell and not choice.dates_move
        self._take("words", lambda e, s: _same(e.guid, s.guid) and _same(e.link, s.link))
        self._take("words", lambda e, s: _same(e.guid, s.guid) and self._is_at_home(e, s, "guid"))
        self._take("words", lambda e, s: _same(e.link, s.link) and self._is_at_home(e, s, "link"))
        self._take("words", lambda e, s: _same(e.place, self.stories.place(s)) and self._is_at_home(e, s, "place"))
        self._take("words", lambda e, s: _same(e.date, s.date))
        self._take("words", lambda e, s: _same(e.path, s.path) and not self._other_date(e, s))
        self._take_by_words_alone(choice)

    def corrections(self, choice: Choice) -> None:
        """Find the entries that are corrections of known stories."""
        kinds = [kind for kind in ("guid", "link", "place") if choice.trusts("guid" if kind == "guid" else "link")]
        for kind in kinds:
            self._take(kind, lambda e, s, kind=kind: self._agrees(e, s, kind, choice))  # type: ignore[misc]
        self._take_foreign("guid", self._is_same_link, choice)
        self._take_foreign("guid", lambda e, s: self._is_all_there_is(e, s, choice), choice)
        self._take_foreign("link", lambda e, s: self._is_same_page(e, s, choice), choice)
        self._take_foreign("place", lambda e, s: self._is_same_page(e, s, choice), choice)
        for kind in ("title", "summary"):
            self._take(f"{kind}+date", lambda e, s, kind=kind: self._is_renamed(e, s, kind, choice))  # type: ignore[misc]
        self._take("title", self._is_all_but_words)
        if choice.kind in {"title+date", "words"}:
            # No key holds in this feed: what kept its title or its summary is the same story.
            for kind in ("title", "summary"):
                self._take(kind, lambda e, s, kind=kind: self._is_alone(e, kind) and not self._other_date(e, s))  # type: ignore[misc]

    def _left(self) -> list[int]:
        return [number for number in range(len(self.entries)) if number not in self.found]

    def _take(self, kind: str, test: Test) -> None:
        """Give each entry without a story the latest one with the same key that passes the test."""
        for number in self._left():
            entry = self.entries[number]
            if story := self._candidate(entry, kind, test):
                self._assign(number, story)

    def _candidate(self, entry: EntryKeys, kind: str, test: Test) -> KnownStory | None:
        for story in reversed(self.stories.find(kind, _entry_key(entry, kind))):
            if story.id not in self._taken and test(entry, story):
                return story
        return None

    def _assign(self, number: int, story: KnownStory) -> None:
        self.found[number] = story
        self._taken.add(story.id)

    def _take_by_words_alone(self, choice: Choice) -> None:
        """Find entries of known words of which every key is new, as in a feed whose keys are new at each poll.

        Outlets also repeat themselves: a title such as "Weather" under a new link and date is a new entry. So it takes
        more than one such entry, or keys that went to other entries of the document.
        """
        pairs = [
            (number, story)
            for number in self._left()
            if (story := self._candidate(self.entries[number], "words", lambda *_: True))
        ]
        fluent = len(pairs) > 1 and len(pairs) >= len(self.found)
        for number, story in pairs:
            entry = self.entries[number]
            told = entry.is_told
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
            again = told and entry.has_telling_title and gone
            if story.id not in self._taken and (
                (same_time and unsure) or (fluent and told) or (displaced and told) or again
            ):
                self._assign(number, story)

    def _is_used(self, key: bytes, kind: str) -> bool:
        return bool(key) and self._counts[kind][key] > 0

    def _agrees(self, entry: EntryKeys, story: KnownStory, kind: str, choice: Choice) -> bool:
        """Whether an entry and a story with the same key also have a text or the date in common."""
        if not self._is_own(entry, kind):
            others = (("guid", entry.guid, story.guid), ("link", entry.link, story.link))
            differ = {name for name, new, old in others if new and old and new != old and choice.trusts(name)}  # type: ignore[arg-type]
            if differ - {"link" if kind == "place" else kind} or self._other_date(entry, story):
                return False
        texts = shared_texts(entry.content, story.content)
        if any(self._counts[name][value] == 1 for name, value in texts):
            return True
        is_own = self._is_own(entry, kind)
        return is_own and _same(entry.date, story.date) and self._counts["date"][entry.date] == 1

    def _other_date(self, entry: EntryKeys, story: KnownStory) -> bool:
        """Whether both say when, and not the same."""
        return self._dates_tell and bool(entry.date and story.date) and entry.date != story.date

    def _is_at_home(self, entry: EntryKeys, story: KnownStory, kind: str) -> bool:
        """Whether a key that several stories have does not hide a new entry that repeats the words of an older one."""
        return self._is_own(entry, kind) or not self._other_date(entry, story)

    def _is_own(self, entry: EntryKeys, kind: str) -> bool:
        """Whether no other entry and at most one story have this key."""
        value = _entry_key(entry, kind)
        shared = self._counts[kind][value] > 1 or len(self.stories.find(kind, value)) > 1
        return not shared and not (entry.is_home and kind != "guid")

    def _is_renamed(self, entry: EntryKeys, story: KnownStory, kind: str, choice: Choice) -> bool:
        """Whether an entry that has a date and a title or summary in common with a story is that story.

        Where guids and links were seen to stay, an entry with neither is another one.
        """
        return self._is_alone(entry, kind) and not _is_other(entry, story, choice)

    def _is_all_but_words(self, entry: EntryKeys, story: KnownStory) -> bool:
        """Whether both have nothing but a title and a guid made of their words, and the story has left."""
        bare = not (entry.link or story.link or entry.date or story.date or self._is_used(story.guid, "guid"))
        return bare and entry.has_telling_title and self._is_alone(entry, "title")

    def _is_alone(self, entry: EntryKeys, kind: str) -> bool:
        value = _entry_key(entry, kind)
        return self._counts[kind][value] == 1 and len(self.stories.find(kind, value)) == 1

    def _take_foreign(self, kind: str, test: Test, choice: Choice) -> None:
        """Find corrections by their keys alone: another title, text and date under keys that are their own."""
        if choice.kind in {"title+date", "words"}:
            return
        pairs = [
            (number, story)
            for number in self._left()
            if self._is_own(self.entries[number], kind) and (story := self._candidate(self.entries[number], kind, test))
        ]
        holds = choice.guids_hold if kind == "guid" else choice.links_hold
        if kind == "guid" and choice.links_hold:
            # Ids that begin anew, as after a move to another system: each has another page, text and date.
            holds = any(_same(self.entries[number].path, story.path) for number, story in pairs)
        if len(pairs) >= MASS and not (self.found or self._forced or holds):
            return
        for number, story in pairs:
            if story.id not in self._taken:
                self._assign(number, story)
                if self._other_date(self.entries[number], story):
                    self.foreign.add(number)

    def _is_same_link(self, entry: EntryKeys, story: KnownStory) -> bool:
        """Whether they have a link in common that is no other's."""
        if _same(entry.link, story.link) and self._is_own(entry, "link"):
            return True
        return _same(entry.place, self.stories.place(story)) and self._is_own(entry, "place")

    def _is_all_there_is(self, entry: EntryKeys, story: KnownStory, choice: Choice) -> bool:
        """Whether a guid alone says that an entry is a story: guids hold in this feed, or nothing contradicts."""
        if self._forced:
            return choice.kind == "guid"
        contradicted = bool(entry.link and story.link) or self._other_date(entry, story)
        return choice.trusts("guid") and (choice.guids_hold or not contradicted)

    def _is_same_page(self, entry: EntryKeys, story: KnownStory, choice: Choice) -> bool:
        """Whether a link alone says that an entry is a story: it was never shared, and no guid contradicts."""
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


def _is_other(entry: EntryKeys, story: KnownStory, choice: Choice) -> bool:
    """Whether both guid and link differ in a feed where both were seen to stay with their entries."""
    return (
        choice.guids_hold
        and choice.links_hold
        and bool(entry.guid and story.guid and entry.link and story.link)
        and entry.guid != story.guid
        and entry.link != story.link
    )


def _has_name(one: EntryKeys | KnownStory, choice: Choice) -> bool:
    """Whether it has a key that identifies in this feed."""
    return bool((one.guid and choice.trusts("guid")) or (one.link and choice.trusts("link")))


def _entry_key(entry: EntryKeys, kind: str) -> bytes:
    match kind:
        case "guid":
            return entry.guid
        case "link":
            return entry.link
        case "place":
            return entry.place
        case "words":
            return entry.words
        case "title+date":
            return _pair(entry.title, entry.date)
        case "summary+date":
            return _pair(part(entry.content, SUMMARY), entry.date)
        case "date":
            return entry.date
    return part(entry.content, TEXT_PARTS[kind])


def _pair(first: bytes, second: bytes) -> bytes:
    return first + second if first and second else b""


def _same(first: bytes, second: bytes) -> bool:
    return bool(first) and first == second

"""Index the stories that a feed has published, and the entries of one document, by each of their keys. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter

from monitor.feeds.formats.content_hash import SUMMARY, TEXT, TITLE, WORDS
from monitor.feeds.novelty.entry_keys import TEXT_PARTS, EntryKeys, part, without
from monitor.feeds.novelty.seen import KnownStory

#: A key is proven when at least this many remembered stories have it and no two share it.
PROVEN = 4


class Stories:
    """An index of the known stories that share any key or text with an entry of the document.

    `volatile` are the names of link parameters that are ignored.
    """

    def __init__(
        self, stories: Iterable[KnownStory], entries: Sequence[EntryKeys], volatile: Sequence[str] = ()
    ) -> None:
        self._all = list(stories)
        self._near = _near(self._all, entries)
        self._volatile = volatile
        self._indexes: dict[str, dict[bytes, list[KnownStory]]] = {}
        self._proven: dict[str, bool] = {}

    def __len__(self) -> int:
        return len(self._near)

    def place(self, story: KnownStory) -> bytes:
        """Return the story's link without host, fragment and volatile parameters; b"" for none."""
        return story.path + without(story.parameters, self._volatile) if story.path else b""

    def find(self, kind: str, value: bytes) -> list[KnownStory]:
        """Return all stories with the key, the oldest first. `kind` is the name of the key, such as `guid`."""
        return self.by(kind).get(value, []) if value else []

    def is_proven(self, kind: str) -> bool:
        """Tell whether at least PROVEN stories have the key and no two of them share it."""
        if kind not in self._proven:
            of = self._key(kind)
            values = [value for story in self._all if story.content and (value := of(story))]
            self._proven[kind] = PROVEN <= len(values) == len(set(values))
        return self._proven[kind]

    def by(self, kind: str) -> Mapping[bytes, list[KnownStory]]:
        """Return the stories by the values of one key, for each value the oldest first."""
        if kind not in self._indexes:
            index: dict[bytes, list[KnownStory]] = {}
            of = self._key(kind)
            for story in self._near:
                if value := of(story):
                    index.setdefault(value, []).append(story)
            self._indexes[kind] = index
        return self._indexes[kind]

    def _key(self, kind: str) -> Callable[[KnownStory], bytes]:
        return self.place if kind == "place" else _STORY_KEYS[kind]


def _near(stories: list[KnownStory], entries: Sequence[EntryKeys]) -> list[KnownStory]:
    """Return the stories that share a key or text with any entry; most remembered stories share none."""
    if not stories:
        return []
    none = {b""}
    guids, links = {entry.guid for entry in entries} - none, {entry.link for entry in entries} - none
    paths, dates = {entry.path for entry in entries} - none, {entry.date for entry in entries} - none
    contents = {entry.content for entry in entries}
    titles, summaries, texts = (
        {content[where] for content in contents} - {bytes(where.stop - where.start)} for where in (TITLE, SUMMARY, TEXT)
    )
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


class KeyCounts(dict[str, Counter[bytes]]):
    """Counts how many entries of a document have each value of a key. A key is counted at its first use."""

    def __init__(self, entries: Sequence[EntryKeys]) -> None:
        super().__init__()
        self._entries = entries

    def __missing__(self, kind: str) -> Counter[bytes]:
        of = ENTRY_KEYS[kind]
        self[kind] = Counter([value for entry in self._entries if (value := of(entry))])
        return self[kind]


#: How to get each kind of key of an entry, b"" when it has none.
ENTRY_KEYS: dict[str, Callable[[EntryKeys], bytes]] = {
    **{kind: attrgetter(kind) for kind in ("guid", "link", "path", "place", "words", "date")},
    **{kind: lambda entry, where=where: part(entry.content, where) for kind, where in TEXT_PARTS.items()},  # type: ignore[misc]
    "title+date": lambda entry: _pair(entry.title, entry.date),
    "summary+date": lambda entry: _pair(part(entry.content, SUMMARY), entry.date),
}
#: The same for stories, except `place`, which depends on the volatile parameters (see `Stories.place`).
_STORY_KEYS: dict[str, Callable[[KnownStory], bytes]] = {
    **{kind: attrgetter(kind) for kind in ("guid", "link", "path", "date")},
    **{kind: lambda story, where=where: part(story.content, where) for kind, where in TEXT_PARTS.items()},  # type: ignore[misc]
    "words": lambda story: story.content[WORDS],
    "title+date": lambda story: _pair(part(story.content, TITLE), story.date),
    "summary+date": lambda story: _pair(part(story.content, SUMMARY), story.date),
}


def _pair(first: bytes, second: bytes) -> bytes:
    return first + second if first and second else b""

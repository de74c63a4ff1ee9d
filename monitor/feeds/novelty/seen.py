"""The stories that one feed has published, and how they lie in segments on the compacted topic.

A segment holds the stories first seen in one week, so that of many thousands only those records are written again that
changed.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping

import msgspec

#: How many days a story that left its feed is remembered: longer than any outlet's re-posting habits.
KEEP_DAYS = 90
#: Stories of one feed that are remembered at most: ten of the longest documents that are read.
MAX_SEEN = 20_000
#: What a remembered story takes, in bytes: seldom more.
STORY_BYTES = 80

#: The first bytes of a packed segment.
_MAGIC = b"\xc1S2"
#: Segments of version 0.1.0 are rows of a name, a revision hash, a revision number, and a day.
_OLD_ROW = struct.Struct(">8s6sBI")

#: Week since 1970 -> the packed stories first seen in it: what a poller keeps in memory for each feed.
Segments = Mapping[int, bytes]


class KnownStory(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """One published entry, as it was when it was last told.

    `id` is its article's, `content` the hash of what was published last, `day` when it was first seen, in days since
    1970-01-01 UTC, `n` the number of its revisions. The keys are those of `EntryKeys`. `editions` are digests of what
    it said before, four bytes each, and `returned` says that it has gone back to one of them.

    A story without content was remembered by version 0.1.0: `id` is then one of its names.
    """

    id: bytes
    content: bytes
    day: int
    guid: bytes = b""
    link: bytes = b""
    path: bytes = b""
    date: bytes = b""
    parameters: bytes = b""
    n: int = 0
    editions: bytes = b""
    returned: bool = False

    @property
    def place(self) -> bytes:
        """`EntryKeys.place` of the story."""
        return self.path + self.parameters if self.path else b""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[KnownStory])


class SeenStories:
    """What one feed has published, read from `segments`. A segment that can't be read is forgotten."""

    def __init__(self, segments: Segments | None = None) -> None:
        self._segments = dict(segments or {})
        self._weeks = {week: _unpacked(packed) for week, packed in self._segments.items()}
        #: Weeks whose segments are no longer what they were.
        self._touched: set[int] = set()
        self._old = {story.id: story for story in self if not story.content}

    def __len__(self) -> int:
        return sum(map(len, self._weeks.values()))

    def __iter__(self) -> Iterator[KnownStory]:
        """All stories, the oldest week first."""
        for week in sorted(self._weeks):
            yield from self._weeks[week].values()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SeenStories) and {s.id: s for s in self} == {s.id: s for s in other}

    __hash__ = None  # type: ignore[assignment]  # it changes

    def without_content(self, name: bytes) -> KnownStory | None:
        """Return what version 0.1.0 remembered under a name of an entry."""
        return self._old.get(name) if self._old else None

    def put(self, story: KnownStory) -> None:
        """Remember a story, in place of what was remembered under its id and first day."""
        week = story.day // 7
        stories = self._weeks.setdefault(week, {})
        if stories.get(story.id) != story:
            stories[story.id] = story
            self._touched.add(week)

    def drop(self, story: KnownStory) -> None:
        """Forget a story."""
        week = story.day // 7
        self._old.pop(story.id, None)
        if self._weeks.get(week, {}).pop(story.id, None) is not None:
            self._touched.add(week)

    def prune(self, current: Collection[bytes], today: int) -> None:
        """Forget stories first seen over KEEP_DAYS ago that left the document, but remember ten times its length.

        `current` holds the ids of the stories in the document just read, `today` is in days since 1970. Stories of the
        document that are past KEEP_DAYS count as first seen today from now on, so that the segment of their week can
        go.
        """
        oldest = today - KEEP_DAYS
        if len(self) <= MAX_SEEN and all(week * 7 >= oldest for week in self._weeks):
            return
        window = set(current)
        for story in [story for story in self if story.id in window and story.day < oldest]:
            self.drop(story)
            self.put(msgspec.structs.replace(story, day=today))
        gone = sorted((story for story in self if story.id not in window), key=lambda story: (story.day, story.id))
        expired = sum(story.day < oldest for story in gone)
        for story in gone[: max(min(expired, len(self) - 10 * len(window)), len(self) - MAX_SEEN, 0)]:
            self.drop(story)

    def segments(self) -> dict[int, bytes]:
        """Return all stories by week, in a fixed order, so that equal contents are equal bytes."""
        found = {week: packed for week, packed in self._segments.items() if week not in self._touched}
        for week in self._touched:
            if stories := self._weeks[week]:
                found[week] = _MAGIC + _ENCODER.encode([stories[name] for name in sorted(stories)])
        return found


def _unpacked(packed: bytes) -> dict[bytes, KnownStory]:
    """The stories of one segment by their ids."""
    if packed.startswith(_MAGIC):
        try:
            return {story.id: story for story in _DECODER.decode(packed[len(_MAGIC) :])}
        except msgspec.DecodeError:
            return {}
    whole = len(packed) - len(packed) % _OLD_ROW.size
    return {name: KnownStory(name, b"", day, n=n) for name, _, n, day in _OLD_ROW.iter_unpack(packed[:whole])}

"""The stories that one feed has published, and how they are stored on the compacted topic.

They are stored in segments, records for at most SEGMENT_STORIES stories first seen in one week, so that a poll writes
only those segments again that changed.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator, Mapping
from itertools import count

import msgspec

#: How many days a story is remembered after it left its feed. Outlets hardly ever repost an older one.
KEEP_DAYS = 90
#: The most stories that are remembered of one feed: ten times the longest document that is read.
MAX_SEEN = 20_000
#: Bytes that a remembered story takes, with few exceptions.
STORY_BYTES = 80
#: The most stories of one segment (40 kB). Whole weeks of a feed with a story a second would be 1.6 MB at each poll.
SEGMENT_STORIES = 500

#: The first bytes of a packed segment.
_MAGIC = b"\xc1S2"
#: Segments of version 0.1.0 are rows of a name, a revision hash, a revision number, and a day.
_OLD_ROW = struct.Struct(">8s6sBI")

#: A week with more stories has further segments. Their numbers are the week's plus multiples of this.
_PART = 1_000_000
#: The packed stories by the number of their segment: the week (since 1970) in which they were first seen, plus a
#: multiple of _PART. A poller keeps this for each feed.
Segments = Mapping[int, bytes]


class KnownStory(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """One published entry, as it was last published.

    `id` is the article's id, `content` the hash of the text last published, `day` the day it was first seen (days since
    1970-01-01 UTC), and `n` the number of its last revision. `guid`, `link`, `path`, `date` and `parameters` are as in
    `EntryKeys`. `editions` are digests of its earlier texts, four bytes each; `returned` means that it went back to one
    of them. `told` is the day of its last revision if it is published at most once a day, else 0. `here` means that
    the feed's last document had it.

    A story without `content` was remembered by version 0.1.0, which stored half of an id.
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
    told: int = 0
    here: bool = False

    @property
    def place(self) -> bytes:
        """The same as `EntryKeys.place`."""
        return self.path + self.parameters if self.path else b""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[KnownStory])


class SeenStories:
    """The stories that one feed has published, unpacked from `segments`. A segment that can't be read is dropped."""

    def __init__(self, segments: Segments | None = None) -> None:
        self._segments = dict(segments or {})
        self._parts = {number: _unpacked(packed) for number, packed in self._segments.items()}
        #: Numbers of the segments that have changed.
        self._touched: set[int] = set()
        self._old = {story.id: story for story in self if not story.content}

    def __len__(self) -> int:
        return sum(map(len, self._parts.values()))

    def __iter__(self) -> Iterator[KnownStory]:
        """Yield all stories, the oldest week first."""
        for number in sorted(self._parts, key=lambda number: (number % _PART, number)):
            yield from self._parts[number].values()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SeenStories) and {s.id: s for s in self} == {s.id: s for s in other}

    __hash__ = None  # type: ignore[assignment]  # it changes

    @property
    def is_partly_old(self) -> bool:
        """Whether some of the stories were remembered by version 0.1.0, without their text."""
        return bool(self._old)

    def without_content(self, name: bytes) -> KnownStory | None:
        """Return the story that version 0.1.0 remembered under an old id, or None."""
        return self._old.get(name)

    def put(self, story: KnownStory) -> None:
        """Remember a story; it replaces the one with the same id and first day."""
        number = self._segment_of(story)
        stories = self._parts.setdefault(number, {})
        if stories.get(story.id) != story:
            stories[story.id] = story
            self._touched.add(number)

    def drop(self, story: KnownStory) -> None:
        """Forget a story."""
        number = self._segment_of(story)
        self._old.pop(story.id, None)
        if self._parts.get(number, {}).pop(story.id, None) is not None:
            self._touched.add(number)

    def _segment_of(self, story: KnownStory) -> int:
        """Return the number of the segment that holds a story, or else of the first one of its week that has room."""
        week = story.day // 7
        for number, stories in self._parts.items():
            if story.id in stories and number % _PART == week:
                return number
        return next(number for number in count(week, _PART) if len(self._parts.get(number, ())) < SEGMENT_STORIES)

    def prune(self, current: Collection[bytes], today: int) -> None:
        """Forget stories that left the document and were first seen over KEEP_DAYS ago.

        At least ten times as many stories as the document has are kept, and at most MAX_SEEN. `current` are the ids of
        the stories in the document, `today` is in days since 1970. Stories still in the document after KEEP_DAYS get
        today as their first day, so that the segment of their old week can be deleted.
        """
        oldest = today - KEEP_DAYS
        if len(self) <= MAX_SEEN and all(number % _PART * 7 >= oldest for number in self._parts):
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
        """Return the packed stories by segment number. Each segment's bytes depend on its stories alone."""
        found = {number: packed for number, packed in self._segments.items() if number not in self._touched}
        for number in self._touched:
            if stories := self._parts[number]:
                found[number] = _MAGIC + _ENCODER.encode([stories[name] for name in sorted(stories)])
        return found


def _unpacked(packed: bytes) -> dict[bytes, KnownStory]:
    """Return the stories of one segment by their ids."""
    if packed.startswith(_MAGIC):
        try:
            return {story.id: story for story in _DECODER.decode(packed[len(_MAGIC) :])}
        except msgspec.DecodeError:
            return {}
    whole = len(packed) - len(packed) % _OLD_ROW.size
    return {name: KnownStory(name, b"", day, n=n) for name, _, n, day in _OLD_ROW.iter_unpack(packed[:whole])}

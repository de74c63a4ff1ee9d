"""Compare a document with the stories that its feed has published: find new entries and corrections. Pure.

`entry_keys` computes the keys of an entry, `key_choice` chooses the keys that this feed can be trusted with, and
`story_matching` finds the known story of each entry. This module turns the result into articles to publish and stories
to remember.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import msgspec

from monitor.feeds.formats.content_hash import TITLE, significant
from monitor.feeds.formats.document import Entry, ParsedFeed
from monitor.feeds.novelty import key_choice
from monitor.feeds.novelty.article_maker import ArticleMaker
from monitor.feeds.novelty.entry_keys import EntryKeys, entry_digest, keys_of
from monitor.feeds.novelty.filters import EntryRules
from monitor.feeds.novelty.key_choice import KeyChoice
from monitor.feeds.novelty.seen import KnownStory, SeenStories
from monitor.feeds.novelty.story_index import Stories
from monitor.feeds.novelty.story_matching import Matching
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article

#: Corrections of one entry that are published at once. An entry that changes more often contains a counter or a clock;
#: lemon24/reader ignores it from then on. It may also be a page of the day under one URL, so one a day is published.
MAX_REVISIONS = 24
#: How many earlier texts (editions) of a story are remembered, so that two that alternate are published once each.
_EDITIONS, _EDITION_BYTES = 8, 4

_EPOCH_DAY = datetime(1970, 1, 1, tzinfo=UTC).date()


class LeftOut(msgspec.Struct, frozen=True):
    """An entry that is not published: its title or link, the `reason` (a metric label), and a sentence for people."""

    name: str
    reason: str
    text: str


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """The result of comparing a document.

    `new` and `changed` are the articles to publish, the last entry of the document first. `seen` are the stories to
    remember (`SeenStories.prune` limits them), `current` the ids of the stories in the document. `choice` is the key
    that identifies entries from now on.

    `entries` counts the entries that were compared; `left_out` are the others. `repeated` names the entries that are in
    the document twice, `slow_rules` the user's patterns that ran out of time and so matched nothing. `returned` counts
    the entries that went back to an earlier text, `exhausted` those that change too often (MAX_REVISIONS). `newest` is
    the latest date in the document that is not in the future.
    """

    new: tuple[Article, ...] = ()
    changed: tuple[Article, ...] = ()
    seen: SeenStories = msgspec.field(default_factory=SeenStories)
    current: frozenset[bytes] = frozenset()
    choice: KeyChoice = KeyChoice()
    left_out: tuple[LeftOut, ...] = ()
    entries: int = 0
    unchanged: int = 0
    repeated: tuple[str, ...] = ()
    slow_rules: tuple[str, ...] = ()
    returned: int = 0
    exhausted: int = 0
    newest: datetime | None = None

    @property
    def duplicates(self) -> int:
        """How many entries are in the document twice."""
        return len(self.repeated)

    @property
    def only_new(self) -> bool:
        """Whether every entry of the document was new."""
        return bool(self.new) and len(self.new) == self.entries - self.duplicates

    @property
    def only_changed(self) -> bool:
        """Whether every entry of the document was a correction."""
        return bool(self.changed) and len(self.changed) == self.entries - self.duplicates


def reconcile(
    seen: SeenStories,
    parsed: ParsedFeed,
    subscription: Subscription,
    now: datetime,
    *,
    choice: KeyChoice | None = None,
    first: bool | None = None,
) -> Reconciled:
    """Compare a document with the stories in `seen`, and update `seen`.

    `choice` is `Reconciled.choice` of the last document, None before the first one. With `first` new entries are marked
    as backfill; None means: when `seen` is empty. `now` is the time of the poll.
    """
    first = not len(seen) if first is None else first
    entries, left_out, slow_rules = _wanted(parsed.entries, subscription, now)
    today = (now.date() - _EPOCH_DAY).days
    unique, matching, choice = _matched(entries, seen, subscription, choice or KeyChoice(), today)
    ids = _Ids(unique, subscription.id, choice)
    maker = ArticleMaker(parsed, subscription, now, first=first)
    outcome = _EntryOutcome(seen, subscription, maker, choice, today=today)
    for number, entry in enumerate(unique):
        story = matching.found.get(number)
        if story is not None:
            outcome.known(entry, story, has_new_link=not matching.stories.find("link", entry.link))
        elif (old := _remembered_by_0_1_0(entry, seen, subscription.id)) is not None:
            outcome.adopted(entry, old)
        else:
            outcome.new(entry, ids.new(entry, outcome.taken))
    current = frozenset(outcome.current)
    left = [story for story in seen if story.here and story.id not in current]
    if len(left) <= len(current):  # what a hub sends, or a document that was cut, does not show what has left the feed
        for story in left:
            seen.put(msgspec.structs.replace(story, here=False))
    choice = key_choice.after_texts(choice, known=len(matching.found), retexted=outcome.retexted)
    all_foreign = bool(unique) and len(matching.foreign) == len(unique)
    return Reconciled(
        new=tuple(reversed(outcome.published)),
        changed=tuple(reversed(outcome.corrected)),
        seen=seen,
        current=current,
        choice=choice if subscription.identity else key_choice.after_corrections(choice, all_foreign=all_foreign),
        left_out=left_out,
        entries=len(entries),
        unchanged=outcome.unchanged,
        repeated=_repeated(entries, unique),
        slow_rules=slow_rules,
        returned=outcome.returned,
        exhausted=outcome.exhausted,
        newest=max((date for entry in unique if (date := entry.believable(now))), default=None),
    )


def _wanted(
    entries: Iterable[Entry], subscription: Subscription, now: datetime
) -> tuple[list[Entry], tuple[LeftOut, ...], tuple[str, ...]]:
    """Split entries into those that are compared, and those that are left out by a filter, by age or without text."""
    wanted = EntryRules(subscription)
    oldest = now - timedelta(days=subscription.max_age_days) if subscription.max_age_days else None
    kept: list[Entry] = []
    left_out: list[LeftOut] = []
    for each in entries:
        entry = wanted.rewritten(each)
        moment = entry.published or entry.updated
        reason, text = "", ""
        if not (entry.title or entry.summary or entry.content):
            reason, text = "no_words", "it has neither title nor text"
        elif text := wanted.refusal(entry):
            reason = "filtered"
        elif oldest and moment is not None and moment < oldest:
            reason, text = "too_old", f"it is older than {subscription.max_age_days} days"
        if reason:
            left_out.append(LeftOut(_name(entry), reason, text))
        else:
            kept.append(entry)
    return kept, tuple(left_out), wanted.slow()


def _repeated(entries: Sequence[Entry], unique: Sequence[EntryKeys]) -> tuple[str, ...]:
    """Return the names of the entries that are in the document a second time."""
    if len(entries) == len(unique):
        return ()
    first = {id(keys.entry) for keys in unique}
    return tuple(_name(entry) for entry in entries if id(entry) not in first)


def _name(entry: Entry) -> str:
    return entry.title or entry.link or entry.guid or entry.summary


def _matched(
    entries: Sequence[Entry], seen: SeenStories, subscription: Subscription, before: KeyChoice, today: int
) -> tuple[list[EntryKeys], Matching, KeyChoice]:
    """Return the distinct entries of the document, the known stories matched to them, and the new choice of key."""
    forced = bool(subscription.identity)
    unique = _unique(keys_of(entries, subscription, before.volatile))
    choice = key_choice.from_document(unique, before, subscription.identity)
    stories = Stories(seen, unique, choice.volatile)
    matching = Matching(unique, stories, today, forced=forced)
    matching.known(choice)
    if not forced:
        same = [(unique[number], story) for number, story in matching.found.items()]
        learned = key_choice.from_matches(unique, choice, same, lambda kind, key: bool(stories.find(kind, key)))
        if learned.volatile != choice.volatile:
            again = _unique(keys_of(entries, subscription, learned.volatile))
            if len({entry.place for entry in again}) < min(len({entry.place for entry in unique}), len(again)):
                # Without these parameters several entries would have the same link, so they are not volatile.
                learned = msgspec.structs.replace(learned, volatile=choice.volatile, why=choice.why)
            else:
                unique = again
        if learned != choice:
            matching = Matching(unique, Stories(seen, unique, learned.volatile), today)
            matching.known(learned)
        choice = learned
    matching.corrections(choice)
    return unique, matching, choice


def _unique(entries: list[EntryKeys]) -> list[EntryKeys]:
    """Return the entries without duplicates: same words, and the same guid, link or date as an earlier entry.

    A story in two sections may have another guid and link in each, but has the same words and date. The date does not
    count for entries with only a title, or when all entries have the same date: those may be two stories.
    """
    said = [entry.words for entry in entries]
    if len(set(said)) == len(said):
        return entries
    dates_differ = len({entry.date for entry in entries}) > 1
    speakers: dict[bytes, set[bytes]] = {}
    for entry, words in zip(entries, said, strict=True):
        speakers.setdefault(entry.link, set()).add(words)
    told: dict[tuple[bytes, bytes], EntryKeys] = {}
    unique: list[EntryKeys] = []
    for entry, words in zip(entries, said, strict=True):
        twin = None
        keys = [key for key in (entry.guid, entry.link) if key]
        if not keys or (dates_differ and entry.date and entry.title and entry.has_body):
            keys.append(entry.date)
        for key in keys:
            earlier = told.setdefault((key, words), entry)
            twin = twin or (earlier if earlier is not entry else None)
        # A link that others have, or that is the only one of the document, tells no entries apart.
        tells_alone = len(speakers[entry.link]) == 1 < len(speakers)
        other_time = twin is not None and entry.date != twin.date and not tells_alone
        if twin is None or (other_time and (not entry.guid or entry.guid != twin.guid)):
            unique.append(entry)
    return unique


class _EntryOutcome:
    """Collects the articles to publish for the entries of one document, and remembers the stories in `seen`."""

    def __init__(
        self, seen: SeenStories, subscription: Subscription, maker: ArticleMaker, choice: KeyChoice, *, today: int
    ) -> None:
        self._seen, self._subscription, self._maker, self._today = seen, subscription, maker, today
        #: When guids and links are stable in this feed, a new link for the same guid counts as a correction.
        self._new_link_corrects = choice.kind == "guid" and choice.links_hold and not choice.links_move
        self._texts_move = choice.texts_move
        self.taken = {story.id for story in seen}
        self.current: list[bytes] = []
        self.published: list[Article] = []
        self.corrected: list[Article] = []
        #: Corrected entries that kept their title.
        self.retexted = 0
        self.unchanged = self.returned = self.exhausted = 0

    def new(self, entry: EntryKeys, article_id: bytes) -> None:
        """Publish a new story."""
        self.taken.add(article_id)
        self._remember(entry, KnownStory(article_id, entry.content, self._today))
        self.published.append(self._maker.article(entry, article_id))

    def adopted(self, entry: EntryKeys, old: Sequence[KnownStory]) -> None:
        """Take over a story that version 0.1.0 remembered without its text; its present text counts as published."""
        for story in old:
            self._seen.drop(story)
        known = KnownStory(old[0].id, entry.content, old[0].day, n=old[0].n)
        self._remember(entry, msgspec.structs.replace(known, id=_full_id(entry, old[0].id, self._subscription.id)))
        self.unchanged += 1

    def known(self, entry: EntryKeys, story: KnownStory, *, has_new_link: bool) -> None:
        """Publish a correction if the entry differs from its story. `has_new_link`: no story had this link before."""
        is_moved = (
            self._new_link_corrects
            and has_new_link
            and entry.guid == story.guid
            and entry.path not in {b"", story.path}
        )
        if self._subscription.ignore_updates or (entry.content == story.content and not is_moved):
            self.unchanged += 1
        else:
            story = self._corrected(entry, story)
        self._remember(entry, story)

    def _corrected(self, entry: EntryKeys, story: KnownStory) -> KnownStory:
        """Publish a correction, unless it repeats an earlier text or there are too many; return the updated story."""
        has_old_title = entry.has_body and entry.content[TITLE] == story.content[TITLE]
        self.retexted += has_old_title
        edition = _edition(entry)
        is_back = edition in _editions(story)
        if is_back and story.returned:
            self.returned += 1
            # The story gets this entry's link now, so remember which one its own text had.
            return msgspec.structs.replace(story, editions=_with_edition(story, _edition(story)))
        is_noise = self._texts_move and has_old_title
        if (is_noise or story.n >= MAX_REVISIONS) and story.told == self._today:
            self.exhausted += 1
            return story
        important = significant(story.content, entry.content)
        kept = msgspec.structs.replace(story, editions=b"".join(old for old in _editions(story) if old != edition))
        n = story.n + 1
        self.corrected.append(self._maker.article(entry, story.id, revision=n, significant=important))
        return msgspec.structs.replace(
            story,
            content=entry.content,
            n=n,
            editions=_with_edition(kept, _edition(story)),
            returned=story.returned or is_back,
            told=self._today if is_noise or n >= MAX_REVISIONS else 0,
        )

    def _remember(self, entry: EntryKeys, story: KnownStory) -> None:
        """Remember a story with the keys of its entry."""
        self.current.append(story.id)
        self._seen.put(
            msgspec.structs.replace(
                story,
                guid=entry.guid or story.guid,
                link=entry.link or story.link,
                path=entry.path or story.path,
                date=entry.date or story.date,
                parameters=entry.parameters if entry.path else story.parameters,
                here=True,
            )
        )


def _edition(one: EntryKeys | KnownStory) -> bytes:
    return zlib.crc32(one.content + one.path).to_bytes(_EDITION_BYTES)


def _with_edition(story: KnownStory, edition: bytes) -> bytes:
    """Return the story's editions with another one, which it may have already."""
    return b"".join((*(old for old in _editions(story) if old != edition), edition)[-_EDITIONS:])


def _editions(story: KnownStory) -> list[bytes]:
    return [story.editions[at : at + _EDITION_BYTES] for at in range(0, len(story.editions), _EDITION_BYTES)]


class _Ids:
    """Makes the ids for the articles of one document's new stories."""

    def __init__(self, entries: Sequence[EntryKeys], feed_id: str, choice: KeyChoice) -> None:
        self._feed_id, self._choice = feed_id, choice
        self._guids = Counter(entry.guid for entry in entries)
        self._addresses = Counter(entry.address for entry in entries)

    def new(self, entry: EntryKeys, taken: Container[bytes]) -> bytes:
        """Return an id made from the best text that only this entry has (guid, link, title ...) and that is not taken.

        It depends only on the document and the remembered stories, so that a poll that is repeated after a crash gives
        the same ids.
        """
        return next(found for name in self._names(entry) if (found := entry_digest(self._feed_id, name)) not in taken)

    def _names(self, entry: EntryKeys) -> Iterator[str]:
        title, moment = entry.entry.title, entry.date.hex()
        if entry.gid and (self._choice.trusts("guid") or not entry.address) and self._guids[entry.guid] == 1:
            yield entry.gid
        if entry.address and self._addresses[entry.address] == 1:
            yield entry.address
        if not (entry.gid or entry.address):
            yield f"{title}\n{entry.entry.published_raw or entry.entry.updated_raw}"
        yield f"{entry.address or entry.gid}\n{title}"
        yield f"{title}\n{moment}"
        for number in count():
            yield f"{entry.words.hex()}\n{moment}\n{entry.link.hex()}\n{entry.guid.hex()}\n{number}"


def _remembered_by_0_1_0(entry: EntryKeys, seen: SeenStories, feed_id: str) -> list[KnownStory] | None:
    """Return the stories that version 0.1.0 remembered for this entry, None for none. The first gives the id."""
    if not seen.is_partly_old:
        return None
    found = [story for name in _old_names(entry, feed_id) if (story := seen.without_content(name)) is not None]
    return found or None


def _old_names(entry: EntryKeys, feed_id: str) -> list[bytes]:
    """Return the ids under which version 0.1.0 remembered an entry."""
    own = [entry_digest(feed_id, name)[:8] for name in (entry.gid, entry.address) if name]
    bare = [] if own else [entry_digest(feed_id, f"{entry.entry.title}\n{entry.entry.published_raw}")[:8]]
    return own + bare + ([entry_digest(feed_id, entry.address)[8:]] if entry.address else [])


def _full_id(entry: EntryKeys, name: bytes, feed_id: str) -> bytes:
    """Return the full article id of which version 0.1.0 remembered a half."""
    raw = (entry.gid, entry.address, f"{entry.entry.title}\n{entry.entry.published_raw}")
    ids = [entry_digest(feed_id, text) for text in raw if text.strip()]
    return next((full for full in ids if full.startswith(name)), ids[0])

"""Compute the keys of an entry, by which it can be recognised in the next document of its feed. Pure.

Keys are the guid, the link, the text and the date. `key_choice` decides which of them a feed can be trusted with;
`story_matching` finds the known story that an entry is.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from monitor.feeds.formats.content_hash import SUMMARY, TEXT, TITLE, WORDS, revision_of
from monitor.feeds.formats.document import Entry
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.formats.fields.dates import EARLIEST
from monitor.feeds.novelty.filters import Pattern
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.yaml_text import read_data_file

#: A published time further in the future than this is ignored: it comes from an embargo or a wrong clock.
FUTURE = timedelta(hours=1)
#: Bytes of the digest of a key, of a link parameter's name, and of a link parameter with its value.
KEY, _NAME, PARAMETER = 5, 2, 6
#: Link parameters that are compared; further ones are ignored.
_MOST_PARAMETERS = 6
#: Two stories hardly ever share a title of this many words (or characters, in a script without spaces).
TELLING_WORDS, TELLING_SIGNS = 5, 12
#: A bulletin such as "Weather" hardly ever repeats a title of this many words, or title and text of this many.
_LONG_TITLE, _LONG_WORDS = 8, 12
#: A bulletin hardly ever repeats this many within a day.
_SHORT_TITLE, _SHORT_WORDS = 3, 6
#: Characters that count as one word in a script without spaces.
_SIGNS_A_WORD = 3
#: A date without a time, or with midnight, which feeds write when they only know the day.
_MIDNIGHT = re.compile(r"[ T]0?0:00(?::00(?:\.0+)?)?(?![\d:.])")
#: The bytes of a content hash for each text.
TEXT_PARTS = {"title": TITLE, "summary": SUMMARY, "text": TEXT}

_NUMBER = re.compile(r"\d+")
_DAY_IN_PATH = re.compile(r"/(?:19|20)\d\d[/-]\d\d?(?:[/-]\d\d?)?(?!\d)")
_COUNTER = re.compile(r"#\d+$")
_GOOGLE_NEWS = re.compile(r"https?://news\.google\.com/(?:rss/)?articles/")
_PATH_PARAMETER = re.compile(r";([^/;=]+)=([^/;]*)")
#: ASP.NET without cookies puts the session id into the path: `/(S(lit3py55t21z5v55vlm25s55))/`.
_COOKIELESS = re.compile(r"/\([A-Za-z]\([^()/]*\)\)(?=/|$)")
_PLACEHOLDERS = Path(__file__).parent / "data" / "placeholders.yaml"


class EntryKeys(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry with its keys. A key is a digest of five bytes, b"" when the entry has none.

    `guid`, `link` and `date` (published, else updated) are keys. `path` is the key of the link without host, parameters
    and fragment. `parameters` are the sorted digests (`parameter_digest`) of those link parameters that do not change
    from poll to poll; `names` are the names of all link parameters. `is_home` means that the link is a home page.

    `content` is the hash of title, summary and text (see `content_hash`). `gid` is the guid and `address` the
    normalised link as texts; ids of articles are made from them.
    """

    entry: Entry
    content: bytes
    gid: str = ""
    address: str = ""
    guid: bytes = b""
    link: bytes = b""
    path: bytes = b""
    parameters: bytes = b""
    names: tuple[str, ...] = ()
    is_home: bool = False
    date: bytes = b""

    @property
    def words(self) -> bytes:
        """The hash of title, summary and text together."""
        return self.content[WORDS]

    @property
    def title(self) -> bytes:
        """The hash of the title, b"" for none."""
        return part(self.content, TITLE)

    @property
    def has_body(self) -> bool:
        """Whether the entry has a summary or a text, not only a title."""
        return any(self.content[SUMMARY]) or any(self.content[TEXT])

    @property
    def has_distinctive_title(self) -> bool:
        """Whether the title is too long for a column or bulletin ("Weather"), so that it identifies a single story."""
        title = self.entry.title
        return len(title.split()) >= TELLING_WORDS or (len(title) >= TELLING_SIGNS and not title.isascii())

    @property
    def says_enough(self) -> bool:
        """Whether title and text are long enough to identify one story. A bulletin is shorter, or changes each time."""
        title = _words_in(self.entry.title)
        if title >= _LONG_TITLE or (self.has_body and self.has_distinctive_title):
            return True
        return title > 2 and title + _words_in(self.entry.summary or self.entry.content) >= _LONG_WORDS

    @property
    def says_something(self) -> bool:
        """Whether title and text are so long that even a bulletin would not repeat them within a day."""
        title = _words_in(self.entry.title)
        if self.has_distinctive_title:
            return True
        return title >= _SHORT_TITLE and title + _words_in(self.entry.summary or self.entry.content) >= _SHORT_WORDS

    @property
    def place(self) -> bytes:
        """The key of the link without host, fragment and changing parameters; b"" for none."""
        return self.path + self.parameters if self.path else b""

    @property
    def has_guid_in_link(self) -> bool:
        """Whether the number in the guid is one of the numbers in the link, as in `item-12` and `/news/12/headline`.

        Such a number names a page; the place in a list does not. Numbers of a date, as in `/2026/12/03/`, don't count.
        """
        return bool(set(_NUMBER.findall(self.gid)) & set(_NUMBER.findall(_DAY_IN_PATH.sub("/", self.address))))

    @property
    def has_only_a_day(self) -> bool:
        """Whether it has a date that names a day and no time, so that all entries of that day have it."""
        raw = self.entry.published_raw or self.entry.updated_raw
        return bool(raw) and (":" not in raw or _MIDNIGHT.search(raw) is not None)

    def is_before(self, oldest: datetime) -> bool:
        """Tell whether the entry has a date, and the date is before `oldest`."""
        moment = self.entry.published or self.entry.updated
        return moment is not None and moment < oldest

    def believable(self, now: datetime) -> datetime | None:
        """Return the published or else the updated time; None when both are missing, in the future or before 1990."""
        for moment in (self.entry.published, self.entry.updated):
            if moment is not None and EARLIEST <= moment <= now + FUTURE:
                return moment
        return None


def _words_in(text: str) -> int:
    """Return roughly how many words a text has; in a script without spaces every three characters count as one."""
    parts = text.split()
    return sum(1 if part.isascii() else max(1, len(part) // _SIGNS_A_WORD) for part in parts) if parts else 0


def part(content: bytes, where: slice) -> bytes:
    """Return the bytes `where` of a content hash, b"" when the text they stand for is empty."""
    found = content[where]
    return b"" if not any(found) else found


def shared_texts(first: bytes, second: bytes) -> list[tuple[str, bytes]]:
    """Return name and hash of each text (title, summary, text) that is equal, and not empty, in two content hashes."""
    found = ((name, part(first, where)) for name, where in TEXT_PARTS.items())
    return [(name, value) for name, value in found if value and value == second[TEXT_PARTS[name]]]


def entry_digest(feed_id: str, gid: str) -> bytes:
    """Return the id of an entry's article, 16 bytes, made from the feed's id and a text such as the guid."""
    return hashlib.sha256(f"{feed_id}\0{gid}".encode("utf-8", "replace")).digest()[:16]


def key_digest(text: str) -> bytes:
    """Return the digest of a key's text, b"" for an empty one."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=KEY).digest() if text else b""


def parameter_digest(name: str, value: str) -> bytes:
    """Return the digest of a link parameter: two bytes of its name and four of its value."""
    return _name_digest(name) + zlib.crc32(value.encode("utf-8", "replace")).to_bytes(4)


def _name_digest(name: str) -> bytes:
    return (zlib.crc32(name.encode("utf-8", "replace")) & 0xFFFF).to_bytes(_NAME)


def changed_names(names: Iterable[str], before: bytes, after: bytes) -> tuple[set[str], set[str]]:
    """Return the names of the link parameters whose value changed, and of those whose value is the same.

    `before` and `after` are `EntryKeys.parameters`; `names` are the names of the parameters in `after`.
    """
    old, new = ({p[:_NAME]: p for p in _split(packed)} for packed in (before, after))
    known = {name: digest for name in names if (digest := _name_digest(name)) in old and digest in new}
    changed = {name for name, digest in known.items() if old[digest] != new[digest]}
    return changed, set(known) - changed


def without(parameters: bytes, names: Collection[str]) -> bytes:
    """Return `EntryKeys.parameters` without the parameters that have one of the names."""
    if not names or not parameters:
        return parameters
    left_out = {_name_digest(name) for name in names}
    return b"".join(p for p in _split(parameters) if p[:_NAME] not in left_out)


def _split(parameters: bytes) -> list[bytes]:
    return [parameters[at : at + PARAMETER] for at in range(0, len(parameters), PARAMETER)]


def keys_of(entries: Iterable[Entry], subscription: Subscription, volatile: Collection[str] = ()) -> list[EntryKeys]:
    """Return each entry of one document with its keys.

    `volatile` are the names of link parameters whose values change at every poll; links are compared without them. When
    the subscription sets `identity`, the other keys are left out.
    """
    entries = list(entries)
    guids = _guids(entries, subscription)
    return [_keys(entry, guid, subscription, volatile) for entry, guid in zip(entries, guids, strict=True)]


def _guids(entries: list[Entry], subscription: Subscription) -> list[str]:
    """Return the guid of each entry as it is compared, "" when it has none.

    The BBC's guids end in #0, #1, ..., and the number grows with each edit, so it is removed. It is kept when only the
    number tells two entries of the document apart, as in the posts of a live blog.
    """
    found = [entry.guid for entry in entries]
    if subscription.guid_strip_regex:
        pattern = Pattern(subscription.guid_strip_regex)
        found = [pattern.replaced(guid, "") for guid in found]
    found = [guid.strip() for guid in found]
    found = ["" if guid.casefold() in _placeholders() else guid for guid in found]
    pages = Counter(_COUNTER.sub("", guid) for guid in set(found))
    for number, guid in enumerate(found):
        if guid.startswith(("http://", "https://")) and _COUNTER.search(guid) and pages[_COUNTER.sub("", guid)] == 1:
            found[number] = article_urls.link_key(_COUNTER.sub("", guid))
    return found


@cache
def _placeholders() -> frozenset[str]:
    """Return texts that feeds write instead of a missing guid, such as `null`."""
    return frozenset(word.casefold() for word in read_data_file(_PLACEHOLDERS, list[str]))


def _keys(entry: Entry, guid: str, subscription: Subscription, volatile: Collection[str]) -> EntryKeys:
    link = entry.link
    if entry.source is not None and _GOOGLE_NEWS.match(link):
        # Google News changes guid and link of an entry; its source and title stay the same.
        guid, link = f"{entry.source.url}\n{entry.title}", ""
    whole = article_urls.link_key(link)
    fragment = urlsplit(link).fragment if "#" in link else ""
    if guid.startswith(("http://", "https://")) and "#" not in guid and whole and article_urls.link_key(guid) == whole:
        guid = whole  # the guid is the entry's link
    path, parameters, names = _parts(whole, volatile)
    if subscription.identity == "link+title":
        guid, whole = f"{whole}\n{entry.title}", ""
    elif subscription.identity == "guid" and guid:
        whole = ""
    elif subscription.identity == "link" and whole:
        guid = ""
    moment = entry.published or entry.updated
    return EntryKeys(
        entry=entry,
        content=entry.revision or revision_of(entry),
        gid=guid,
        address=whole,
        guid=key_digest(_as_key(guid)),
        link=key_digest(f"{whole.partition('?')[0]}\n{parameters.hex()}#{fragment}") if whole else b"",
        path=key_digest(path) if whole and path != "/" else b"",
        parameters=parameters,
        names=names,
        is_home=path == "/" and not parameters and not fragment,
        date=key_digest(moment.isoformat() if moment else entry.published_raw or entry.updated_raw),
    )


def _as_key(guid: str) -> str:
    """Return the guid as it is compared: a URL without scheme and tracking parameters, anything else unchanged."""
    if not guid.startswith(("http://", "https://")):
        return guid
    _, mark, fragment = guid.partition("#")
    return f"{article_urls.link_key(guid)}{mark}{fragment}"


def _parts(address: str, volatile: Collection[str]) -> tuple[str, bytes, tuple[str, ...]]:
    """Return a link's path, the digests of its parameters without the volatile ones, and the names of all of them."""
    rest, _, query = address.partition("?")
    slash = rest.find("/", 2)
    path = _COOKIELESS.sub("", rest[slash:] if slash > 0 else "/")
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair] if query else []
    if ";" in path:
        pairs += _PATH_PARAMETER.findall(path)
        path = _PATH_PARAMETER.sub("", path)
    names = tuple(dict.fromkeys(name[:60] for name, _ in pairs))
    packed = b"".join(sorted(parameter_digest(name[:60], value) for name, value in pairs)[:_MOST_PARAMETERS])
    return path or "/", without(packed, volatile), names

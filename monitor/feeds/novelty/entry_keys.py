"""The keys of an entry: everything by which it can be recognised in a feed's next document. Pure.

Which of them can be trusted is not decided here but in `key_choice`, for each feed; and which known story an entry is,
in `matching`.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from urllib.parse import urlsplit

import msgspec
import yaml

from monitor.feeds.formats.content_hash import SUMMARY, TEXT, TITLE, WORDS, revision_of
from monitor.feeds.formats.document import Entry
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.formats.fields.dates import EARLIEST
from monitor.feeds.novelty.filters import stripped
from monitor.feeds.subscriptions.subscription import Subscription

#: A published time further ahead of our clock than this comes from an embargo or a broken clock.
FUTURE = timedelta(hours=1)
#: Bytes of the digest of a key, of a parameter's name, and of a parameter with its value.
KEY, _NAME, PARAMETER = 5, 2, 6
#: Parameters of an address that are remembered; an address with more is compared without the others.
_MOST_PARAMETERS = 6
#: A title of so many words, or of so many signs in a script without spaces, is hardly another story's as well.
TELLING_WORDS, TELLING_SIGNS = 5, 12
#: The parts of a content hash that are texts.
TEXT_PARTS = {"title": TITLE, "summary": SUMMARY, "text": TEXT}

_COUNTER = re.compile(r"#\d+$")
_GOOGLE_NEWS = re.compile(r"https?://news\.google\.com/(?:rss/)?articles/")
_PATH_PARAMETER = re.compile(r";([^/;=]+)=([^/;]*)")
#: ASP.NET without cookies puts the session between slashes: `/(S(lit3py55t21z5v55vlm25s55))/`.
_COOKIELESS = re.compile(r"/\([A-Za-z]\([^()/]*\)\)(?=/|$)")
_PLACEHOLDERS = "placeholders.yaml"


class EntryKeys(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One entry with its keys. A key is a digest of five bytes, b"" where the entry has none.

    `content` is the entry's content hash, of which title, summary and text are parts. `gid` is the guid as a text, and
    `address` the link as it is compared, of which ids of articles are made. `guid` and `link` are their digests;
    `path` is the link without host, parameters and fragment, and `parameters` are digests of the link's parameters
    (`parameter_digest`) that do not change from poll to poll, sorted. `names` are the names of all of its parameters.
    `is_home` says that the link names a site's home page. `date` is the digest of the published or updated time.
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
        """Title, summary and text."""
        return self.content[WORDS]

    @property
    def title(self) -> bytes:
        """The title, b"" for none."""
        return part(self.content, TITLE)

    @property
    def is_told(self) -> bool:
        """Whether it says more than a title."""
        return any(self.content[SUMMARY]) or any(self.content[TEXT])

    @property
    def has_telling_title(self) -> bool:
        """Whether its title is long enough to be that of one story, and not that of a column or a bulletin."""
        title = self.entry.title
        return len(title.split()) >= TELLING_WORDS or (len(title) >= TELLING_SIGNS and not title.isascii())

    @property
    def place(self) -> bytes:
        """The link without host, fragment and what changes from poll to poll; b"" for none."""
        return self.path + self.parameters if self.path else b""

    def is_before(self, oldest: datetime) -> bool:
        """Tell whether it was published before that, as far as it says when."""
        moment = self.entry.published or self.entry.updated
        return moment is not None and moment < oldest

    def believable(self, now: datetime) -> datetime | None:
        """Return when it was published, else updated; None when that lies ahead, before 1990, or is not told."""
        for moment in (self.entry.published, self.entry.updated):
            if moment is not None and EARLIEST <= moment <= now + FUTURE:
                return moment
        return None


def part(content: bytes, where: slice) -> bytes:
    """Return a part of a content hash, b"" where its text is empty."""
    found = content[where]
    return b"" if not any(found) else found


def shared_texts(first: bytes, second: bytes) -> list[tuple[str, bytes]]:
    """Return the parts, none of them empty, that two content hashes have in common."""
    found = ((name, part(first, where)) for name, where in TEXT_PARTS.items())
    return [(name, value) for name, value in found if value and value == second[TEXT_PARTS[name]]]


def entry_digest(feed_id: str, gid: str) -> bytes:
    """Return the id of an entry's article, 16 bytes, from one of its names."""
    return hashlib.sha256(f"{feed_id}\0{gid}".encode("utf-8", "replace")).digest()[:16]


def key_digest(text: str) -> bytes:
    """Return the digest of a key's text, b"" for an empty one."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=KEY).digest() if text else b""


def parameter_digest(name: str, value: str) -> bytes:
    """Return six bytes of a parameter of an address, of which the first two are its name's."""
    return _name_digest(name) + zlib.crc32(value.encode("utf-8", "replace")).to_bytes(4)


def _name_digest(name: str) -> bytes:
    return (zlib.crc32(name.encode("utf-8", "replace")) & 0xFFFF).to_bytes(_NAME)


def changed_names(names: Iterable[str], before: bytes, after: bytes) -> tuple[set[str], set[str]]:
    """Return which parameters of an address have another value than before, and which have the same.

    `before` and `after` are `EntryKeys.parameters`, `names` those of the second.
    """
    old, new = ({p[:_NAME]: p for p in _split(packed)} for packed in (before, after))
    known = {name: digest for name in names if (digest := _name_digest(name)) in old and digest in new}
    changed = {name for name, digest in known.items() if old[digest] != new[digest]}
    return changed, set(known) - changed


def without(parameters: bytes, names: Collection[str]) -> bytes:
    """Return packed parameters without those of some names."""
    if not names or not parameters:
        return parameters
    left_out = {_name_digest(name) for name in names}
    return b"".join(p for p in _split(parameters) if p[:_NAME] not in left_out)


def _split(parameters: bytes) -> list[bytes]:
    return [parameters[at : at + PARAMETER] for at in range(0, len(parameters), PARAMETER)]


def keys_of(entries: Iterable[Entry], subscription: Subscription, volatile: Collection[str] = ()) -> list[EntryKeys]:
    """Return each entry of one document with its keys.

    `volatile` are names of parameters whose values change at every poll, which links are compared without. Where the
    subscription says what identifies, the other keys are left out.
    """
    entries = list(entries)
    guids = _guids(entries, subscription)
    return [_keys(entry, guid, subscription, volatile) for entry, guid in zip(entries, guids, strict=True)]


def _guids(entries: list[Entry], subscription: Subscription) -> list[str]:
    """The guid of each entry as a name, "" where it has none.

    The BBC's guids end in #0, #1, ... and rise with every edit. The parts of a live blog differ in nothing else, so a
    number that tells entries of one document apart stays.
    """
    pattern = subscription.guid_strip_regex
    found = [stripped(pattern, entry.guid).strip() for entry in entries]
    found = ["" if guid.casefold() in _placeholders() else guid for guid in found]
    pages = Counter(_COUNTER.sub("", guid) for guid in set(found))
    for number, guid in enumerate(found):
        if guid.startswith(("http://", "https://")) and _COUNTER.search(guid) and pages[_COUNTER.sub("", guid)] == 1:
            found[number] = article_urls.link_key(_COUNTER.sub("", guid))
    return found


@cache
def _placeholders() -> frozenset[str]:
    """What publishers write where a guid is missing."""
    text = resources.files("monitor.feeds.novelty").joinpath("data", _PLACEHOLDERS).read_text(encoding="utf-8")
    return frozenset(str(word).casefold() for word in yaml.safe_load(text))


def _keys(entry: Entry, guid: str, subscription: Subscription, volatile: Collection[str]) -> EntryKeys:
    link = entry.link
    if entry.source is not None and _GOOGLE_NEWS.match(link):
        # The opaque tokens of an aggregator change; who wrote what under which title does not.
        guid, link = f"{entry.source.url}\n{entry.title}", ""
    whole = article_urls.link_key(link)
    fragment = urlsplit(link).fragment if "#" in link else ""
    if guid.startswith(("http://", "https://")) and "#" not in guid and whole and article_urls.link_key(guid) == whole:
        guid = whole  # the guid is the entry's address
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
    """The guid as it is compared: an address without scheme and tracking parameters, anything else as it stands."""
    if not guid.startswith(("http://", "https://")):
        return guid
    return f"{article_urls.link_key(guid)}#{guid.partition('#')[2]}"


def _parts(address: str, volatile: Collection[str]) -> tuple[str, bytes, tuple[str, ...]]:
    """The path of an address, its packed parameters without the volatile ones, and the names of all of them."""
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

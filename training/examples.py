"""Turns labelled items into training examples: one for each pair of leaders that an item names.

Leaders, passages and the rules' findings come from the detector itself, so that training sees the same input as the
service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from monitor.detect import Detector
from monitor.detect.reader.passage import Passage, words_of
from monitor.detect.reader.pieces import WordPieces
from monitor.records import KINDS, MEDIA, Article, Mention
from monitor.watchlist import Watchlist

#: The classes of a pair: no contact, or the status of the contact.
STATUSES = (
    "none", "held", "ongoing", "planned", "rescheduled", "proposed", "postponed", "cancelled", "denied", "past",
)  # fmt: skip
UNLABELLED = -1
#: Letters of a name that the catalogue gives at least, if it leaves the end open ("zelensk").
_PREFIX = 4
#: The outlet of the catalogue's sentences, which are never held out.
CATALOGUE = "catalogue"


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled item in the form that the detector takes."""

    id: str
    outlet: str
    article: Article
    contacts: tuple[dict[str, Any], ...]
    passage: Passage
    rules: tuple[Mention, ...]
    hard: bool = False


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One pair of an item: its pieces, and its labels as class numbers; `UNLABELLED` if there is none."""

    item: int
    pair: tuple[str, str]
    outlet: str
    language: str
    rows: tuple[int, ...]
    status: int
    medium: int
    kind: int
    hard: bool


def gold_items(path: Path, detector: Detector) -> list[Item]:
    """Return the items of a labelled file, in its order."""
    return [_item(msgspec.json.decode(line), detector) for line in path.read_bytes().splitlines() if line.strip()]


def linked_items(folder: Path, stream: str, detector: Detector) -> list[Item]:
    """Return the items of a stream that were linked to contacts by hand (`events/STREAM_*.jsonl`)."""

    def lines(name: str) -> Iterator[dict[str, Any]]:
        path = folder / "events" / f"{stream}_{name}.jsonl"
        return (msgspec.json.decode(line) for line in path.read_bytes().splitlines() if line.strip())

    events = {one["event"]: one for one in lines("events")}
    links = {one["id"]: one["links"] for one in lines("links")}
    return [
        _item(one | {"contacts": [events[link["event"]] | link for link in links.get(one["id"], ())]}, detector)
        for one in lines("candidates")
    ]


def catalogue_items(folder: Path, detector: Detector) -> list[Item]:
    """Return the sentences of the project's own catalogue."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        for trap in msgspec.yaml.decode(path.read_bytes()):
            for n, case in enumerate(trap["cases"]):
                found.append(
                    {
                        "id": f"{path.stem}-{trap['trap']}-{n}",
                        "ds": case.get("outlet") or CATALOGUE,
                        "lang": case.get("language") or trap.get("language", "en"),
                        "date": case.get("published", "2026-02-05"),
                        "title": case["text"],
                        "lede": case.get("lede", ""),
                        "contacts": [_expected(one) for one in case["expect"] if one != "-"],
                    }
                )
    return [msgspec.structs.replace(_item(one, detector), outlet=CATALOGUE) for one in found]


def _expected(words: str) -> dict[str, Any]:
    leaders, medium, status, *day = words.split()
    kind = "call" if medium in ("phone", "video") else "meeting"
    return {
        "p": leaders.replace("-", "_").split("+"),
        "m": medium,
        "s": status,
        "d": day[0] if day else None,
        "k": kind,
    }


def _item(given: Mapping[str, Any], detector: Detector) -> Item:
    day = given.get("date") or None
    article = msgspec.convert(
        {
            "id": given["id"], "title": given["title"], "summary": given.get("lede") or "",
            "language": given["lang"], "outlet": given.get("ds", ""),
            "published": f"{day}T12:00:00Z" if day and len(day) == len("2026-02-05") else day,
        },
        Article,
    )  # fmt: skip
    passage, rules = detector.reader_input(article)
    contacts = tuple(given["contacts"])
    hard = bool(given.get("hard")) or any(one.get("hard") for one in contacts)
    return Item(
        id=given["id"], outlet=given.get("ds", ""), article=article, contacts=contacts, passage=passage, rules=rules,
        hard=hard,
    )  # fmt: skip


def examples_of(items: Sequence[Item], pieces: WordPieces, watchlist: Watchlist) -> list[Example]:
    """Return the examples of all items; an example's `item` is an index of `items`."""
    found = []
    for n, item in enumerate(items):
        for pair in item.passage.pairs():
            label = _label(item, pair, watchlist)
            rows = tuple(row for word in words_of(item.passage, pair, pieces) for row in word.rows)
            found.append(
                Example(
                    item=n, pair=pair, outlet=item.outlet, language=item.passage.language, rows=rows,
                    status=STATUSES.index(label["s"]) if label else 0,
                    medium=MEDIA.index(label["m"]) if label else UNLABELLED,
                    kind=KINDS.index(label["k"]) if label and label.get("k") in KINDS else UNLABELLED,
                    hard=item.hard,
                )
            )  # fmt: skip
    return found


def _label(item: Item, pair: tuple[str, str], watchlist: Watchlist) -> dict[str, Any] | None:
    """The contact that the pair is in: of several, one that is not past, then the one with fewest participants."""
    day = item.article.published.date() if item.article.published is not None else date.max
    found = []
    for contact in item.contacts:
        named = [slug for slug in contact["p"] if slug != "others"]
        who = [set(_slugs_of(leader, named, watchlist, day)) for leader in pair]
        if all(who) and (who[0] != who[1] or len(who[0]) > 1):
            found.append(contact)
    return min(found, key=lambda one: (one["s"] == "past", len(one["p"])), default=None)


def _slugs_of(leader: str, slugs: Sequence[str], watchlist: Watchlist, day: date) -> Iterator[str]:
    """The slugs of the labels that mean the leader: parts of the name, or the office of a state."""
    parts = re.split(r"[-_ ]+", leader.lower())
    office = watchlist.office_on(leader, day)
    for slug in slugs:
        if slug.startswith("office:"):
            if office is not None and office.country.lower() == slug.removeprefix("office:").lower():
                yield slug
            continue
        wanted = re.split(r"[-_ ]+", slug.lower())
        if any(_begins(parts[at : at + len(wanted)], wanted) for at in range(len(parts) - len(wanted) + 1)):
            yield slug


def _begins(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the wanted parts match the parts of a name; the last, of four or more letters, may be a prefix."""
    if list(parts) == list(wanted):
        return True
    long = len(wanted[-1]) >= _PREFIX
    return long and list(parts[:-1]) == list(wanted[:-1]) and parts[-1].startswith(wanted[-1])

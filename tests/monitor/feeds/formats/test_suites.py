"""Test the documents of other feed parsers' test suites, and where we differ from those parsers on purpose.

The suites are not part of the project: they lie under `feeds/suites` of the folder that SUMMITRY_EVAL names.
`differences.yaml` lists each field of each document where we disagree, with the reason; the list must be exact.
"""

from __future__ import annotations

import ast
import functools
import json
import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.errors import FeedError
from monitor.feeds.formats.document import Entry, ParsedFeed
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.formats.fields.dates import read_date
from monitor.feeds.formats.fields.html_text import plain
from monitor.feeds.formats.parse import parse

SUITES = Path(os.environ.get("SUMMITRY_EVAL", Path(__file__).parents[5] / "shared")) / "feeds" / "suites"
DIFFERENCES: dict[str, dict[str, str]] = yaml.safe_load(
    Path(__file__).with_name("differences.yaml").read_text(encoding="utf-8")
)
pytestmark = [
    pytest.mark.skipif(not SUITES.is_dir(), reason=f"no suites of feed documents in {SUITES} (SUMMITRY_EVAL)"),
    pytest.mark.slow,
]

Compare = Callable[[Path, ParsedFeed], Iterator[str]]


@functools.cache
def documents() -> tuple[Path, ...]:
    paths = [path for path in SUITES.rglob("*.xml") if path.is_file()]
    paths += [p for p in SUITES.rglob("*.json") if not p.with_suffix(".xml").exists() and not is_expectation(p)]
    return tuple(sorted(paths))


def is_expectation(path: Path) -> bool:
    return path.name.endswith((".serde.json", "_expected.json"))


@functools.cache
def read(path: Path) -> ParsedFeed | FeedError:
    """The document as we read it, or the FeedError; any other exception fails the test that asked."""
    body = path.read_bytes()
    header = re.search(rb"Header:\s+Content-type:\s*(.*)", body[:2000], re.IGNORECASE)
    content_type = header[1].decode("latin-1").strip() if header else ""
    base = re.search(rb"(?:Header:\s+)?Content-Location:\s*(\S+)", body[:2000], re.IGNORECASE)
    try:
        return parse(body, content_type=content_type, url=base[1].decode() if base else "")
    except FeedError as error:
        return error


def test_every_document_is_read_or_refused_with_a_reason() -> None:
    refused = {}
    for path in documents():
        parsed = read(path)
        if isinstance(parsed, FeedError):
            refused[str(path.relative_to(SUITES))] = parsed.reason
        else:
            assert parsed.mode.partition("-")[0] in {"rss", "rdf", "atom", "json", "cdf", "sitemap"}
    assert len(documents()) > 900
    assert refused == {name: fields["refused"] for name, fields in DIFFERENCES.items() if "refused" in fields}


def same(expected: Any, actual: Any) -> bool:
    return (expected or "") == (actual or "")


def moment(text: str | None) -> datetime | None:
    return read_date(text).value if text else None


def title_of(markup: str | None) -> str:
    return plain(markup or "")


def compare_gofeed(path: Path, parsed: ParsedFeed) -> Iterator[str]:
    """gofeed's own models: `rss`, `atom` and `json` parsers, and the universal one."""
    expected = json.loads(expectation(path).read_text(encoding="utf-8"))
    if not same(title_of(expected.get("title")), parsed.title):
        yield "title"
    items = expected.get("items", expected.get("entries")) or []
    if len(items) != len(parsed.entries):
        yield "entries"
        return
    for item, entry in zip(items, parsed.entries, strict=True):
        yield from compare_gofeed_item(item, entry)


def compare_gofeed_item(item: dict[str, Any], entry: Entry) -> Iterator[str]:
    if not same(title_of(item.get("title")), entry.title):
        yield "entry title"
    guid = item.get("guid", item.get("id"))
    guid = guid.get("value") if isinstance(guid, dict) else guid
    if not same(guid, entry.guid):
        yield "entry id"
    links = [link for link in item.get("links") or [] if isinstance(link, dict)]
    pages = [link.get("href") for link in links if link.get("rel", "alternate") == "alternate"]
    link = item.get("link") or item.get("url") or next((page for page in pages if page), "")
    if not same(article_urls.absolute("", link), entry.link):
        yield "entry link"
    published = item.get("pubDateParsed", item.get("publishedParsed")) or item.get("date_published")
    updated = item.get("updatedParsed") or item.get("date_modified")
    if moment(published) != (entry.published or (entry.updated if published else None)):
        yield "entry published"
    if updated and moment(updated) not in {entry.updated, entry.published}:
        yield "entry updated"


def expectation(path: Path) -> Path:
    if path.suffix == ".xml":
        return path.with_suffix(".json")
    return path.with_name(f"{path.stem}_expected.json")


def compare_feed_rs(path: Path, parsed: ParsedFeed) -> Iterator[str]:
    """feed-rs's model: an id is always there (a hash or an address where the document has none)."""
    expected = json.loads((path.parent / f"{path.stem}.serde.json").read_text(encoding="utf-8"))
    if not same(title_of((expected["title"] or {}).get("content")), parsed.title):
        yield "title"
    if len(expected["entries"]) != len(parsed.entries):
        yield "entries"
        return
    for item, entry in zip(expected["entries"], parsed.entries, strict=True):
        if not same(title_of((item["title"] or {}).get("content")), entry.title):
            yield "entry title"
        if entry.guid and item["id"] != entry.guid:
            yield "entry id"
        pages = [link["href"] for link in item["links"] if link["rel"] in {None, "alternate"}]
        if not same(article_urls.absolute("", pages[0]) if pages else "", entry.link):
            yield "entry link"
        if moment(item["published"]) != entry.published:
            yield "entry published"
        if entry.updated and moment(item["updated"]) not in {entry.updated, entry.published}:
            yield "entry updated"


@pytest.mark.parametrize(("suite", "compare"), [("gofeed", compare_gofeed), ("feed-rs", compare_feed_rs)])
def test_titles_links_ids_and_dates_agree_but_for_the_listed_differences(suite: str, compare: Compare) -> None:
    found: dict[str, set[str]] = {}
    compared = 0
    for path in documents():
        name = str(path.relative_to(SUITES))
        known = path.parent / f"{path.stem}.serde.json" if suite == "feed-rs" else expectation(path)
        parsed = read(path)
        if not name.startswith(f"{suite}/") or not known.exists() or isinstance(parsed, FeedError):
            continue
        compared += 1
        if different := set(compare(path, parsed)):
            found[name] = different
    listed = {
        name: set(fields) - {"refused"}
        for name, fields in DIFFERENCES.items()
        if name.startswith(f"{suite}/") and set(fields) != {"refused"}
    }
    assert compared > (60 if suite == "feed-rs" else 500)
    assert found == listed


EXPECT = re.compile(rb"Expect:\s+(.*)")


def test_feedparsers_encodings_entities_and_ill_formed_documents_read_as_they_expect() -> None:
    found: dict[str, set[str]] = {}
    compared = 0
    for path in documents():
        name = str(path.relative_to(SUITES))
        match = EXPECT.search(path.read_bytes()) if name.startswith("feedparser/") else None
        parsed = read(path)
        if match is None or isinstance(parsed, FeedError):
            continue
        for field, expected in expectations(match[1].decode("utf-8", "replace")):
            compared += 1
            if field_of(parsed, field) != expected:
                found.setdefault(name, set()).add(field)
    listed = {
        name: set(fields) - {"refused"}
        for name, fields in DIFFERENCES.items()
        if name.startswith("feedparser/") and set(fields) != {"refused"}
    }
    assert compared > 200
    assert found == listed


CLAIM = re.compile(
    r"""(?P<owner>feed|entries\[0\])(?:\.|\[u?['"])(?P<field>title|link|description)(?:['"]\])?\s*==\s*u?(?P<text>'[^']*'|"[^"]*")"""
)


def expectations(claim: str) -> Iterator[tuple[str, str]]:
    """Those parts of an `Expect:` expression that concern our fields."""
    for match in CLAIM.finditer(claim):
        yield f"{match['owner']}.{match['field']}", ast.literal_eval(match["text"])


def field_of(parsed: ParsedFeed, field: str) -> str:
    owner, _, name = field.rpartition(".")
    if owner == "feed":
        return str(getattr(parsed, name))
    entry = parsed.entries[0]
    return entry.summary if name == "description" else str(getattr(entry, name))

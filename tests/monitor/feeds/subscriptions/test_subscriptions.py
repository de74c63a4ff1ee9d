"""Test lists of feeds: the bundled one, YAML, OPML, and writing them."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.feeds.formats.fields.article_urls import link_key
from monitor.feeds.subscriptions import outlets
from monitor.feeds.subscriptions.catalogue import bundled, load_feeds, read_yaml, subscription_of, to_yaml
from monitor.feeds.subscriptions.opml import MAX_SIZE, read_opml, write_opml
from monitor.feeds.subscriptions.options import OPTIONS, feed_id
from monitor.feeds.subscriptions.subscription import Auth, SecretRef, Subscription


def test_the_bundled_list_is_whole() -> None:
    feeds = bundled()
    assert sum(feed.enabled for feed in feeds) >= 60
    assert len({link_key(feed.url) for feed in feeds}) == len(feeds)
    assert len({feed.language for feed in feeds}) >= 10
    for feed in feeds:
        assert feed.outlet
        assert feed.publisher
        assert feed.country
        assert feed.kind in {"wire", "broadcaster", "newspaper", "government", "igo"}
        assert feed.official == (feed.kind in {"government", "igo"})
        assert outlets.outlet_of(feed.url) is not None or feed.kind not in {"government", "igo"}


def test_the_bundled_list_has_every_feed_that_was_found_with_its_facts() -> None:
    whole = Path(os.environ.get("SUMMITRY_EVAL", "")) / "feeds" / "outlets.yaml"
    if not os.environ.get("SUMMITRY_EVAL") or not whole.is_file():
        pytest.skip("$SUMMITRY_EVAL names no folder with feeds/outlets.yaml")
    found = [row for row in yaml.safe_load(whole.read_text(encoding="utf-8"))["feeds"] if "url" in row]
    facts = {feed.id: (feed.url, feed.country, feed.language, feed.kind, feed.enabled) for feed in bundled()}
    assert len(found) > 90
    for row in found:
        certain = row["confidence"] != "low"
        assert facts[row["id"]] == (row["url"], row["country"], row["lang"], row["kind"], certain)


def test_official_sites_are_known_by_their_hosts() -> None:
    def voice(url: str) -> str:
        outlet = outlets.outlet_of(url)
        return outlet.speaks_for if outlet else "?"

    assert voice("http://en.kremlin.ru/events/president/news/1") == "RU"
    assert voice("https://www.whitehouse.gov/briefings-statements/x") == "US"
    assert voice("https://www.bbc.co.uk/news/1") == ""
    assert voice("https://kremlin.ru.evil.example/") == "?"
    assert voice("http://[") == "?"


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_list_builds_on_others_and_says_only_what_differs(tmp_path: Path) -> None:
    write(tmp_path, "base.yaml", "feeds:\n  - {id: a, url: 'https://a.example/rss', outlet: A, interval_s: 600}\n")
    path = write(
        tmp_path,
        "desk.yaml",
        """
include: [bundled, base.yaml]
feeds:
  - {id: a, language: fr}
  - {id: rt, enabled: false}
  - https://www.spiegel.de/international/index.rss
  - url: https://b.example/rss
    outlet: The B
    auth: {user: me, password: {env: B_PASSWORD}}
    block: [{field: title, match: sports}]
""",
    )
    feeds = {feed.id: feed for feed in load_feeds([str(path)])}
    assert (feeds["a"].outlet, feeds["a"].language, feeds["a"].interval_s) == ("A", "fr", 600)
    assert not feeds["rt"].enabled
    assert feeds["rt"].url == "https://www.rt.com/rss/news/"
    b = feeds[feed_id("https://b.example/rss")]
    assert b.auth is not None
    assert b.block[0].field == "title"
    assert len(feeds) == len(bundled()) + 3


def test_the_same_address_under_another_id_replaces_the_earlier_one(tmp_path: Path) -> None:
    path = write(tmp_path, "x.yaml", "feeds: [{id: mine, url: 'https://rt.com/rss/news'}]")
    ids = {feed.id for feed in load_feeds(["bundled", str(path)])}
    assert "mine" in ids
    assert "rt" not in ids


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("feeds: [", "correct the YAML"),
        pytest.param("feeds: " + "[" * 3000, "nested too deeply", marks=pytest.mark.slow),
        ("feeds: [{url: 2026-99-99}]", "correct the YAML"),
        ("feeds: [{interval_s: " + "9" * 5000 + "}]", "correct the YAML"),
        ("feeds: &a [*a]", "feeds[0]: is not a feed"),
        ("#" * (4 * 1024 * 1024 + 1), "too large for a list of feeds"),
        ("- x", "begin with `feeds:`"),
        ("feed: []", "feed: is not a key of a list of feeds"),
        ("feeds: {a: 1}", "feeds: must be a list"),
        ("feeds: [{outlet: X}]", "feeds[0].url: is missing"),
        ("feeds: [7]", "feeds[0]: is not a feed"),
        ("feeds: [{url: 'ftp://x.example/'}]", "feeds[0]: url must begin with http"),
        ("feeds: [{url: 'https://me:secret@x.example/'}]", "credentials"),
        ("feeds: [{url: 'https://me:secret@[x.example/'}]", "feeds[0].url: is not an address"),
        ("feeds: [{url: 'https://me:secret@x.example:99999/'}]", "feeds[0]"),
        ("feeds: [{url: 'https://x.example/', languge: en}]", "did you mean `language`?"),
        ("feeds: [{url: 'https://x.example/', interval_s: fast}]", "feeds[0].interval_s: Expected `int`"),
        ("feeds: [{url: 'https://x.example/', timezone: Mars}]", "feeds[0].timezone: 'Mars' is not a time zone"),
        ("feeds: [{url: 'https://x.example/', country: Germany}]", "feeds[0].country"),
        ("feeds: [{url: 'https://x.example/', language: '!'}]", "feeds[0].language"),
        ("feeds: [{url: 'https://x.example/', keep: [{field: mood, match: x}]}]", "feeds[0].keep[0].field"),
        ("feeds: [{url: 'https://x.example/', block: [{field: title, match: '('}]}]", "not a regular expression"),
        ("feeds: [{url: 'https://x.example/'}, {url: 'https://x.example/'}]", "is in the list twice"),
        ("include: bundled", "include: must be a list"),
        ("include: [x.yaml]", "include each other"),
        ("include: [absent.yaml]", "can't be read"),
    ],
)
def test_a_mistake_is_one_line_that_names_file_key_and_fix(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, "x.yaml", text)
    with pytest.raises(ConfigError) as caught:
        load_feeds([str(path)])
    message = str(caught.value)
    assert said in message
    assert ".yaml" in message
    assert "\n" not in message
    assert "secret" not in message


@pytest.mark.slow
def test_what_the_list_prints_it_can_read(tmp_path: Path) -> None:
    secret = Subscription(id="s", url="https://s.example/", auth=Auth(user="u", password=SecretRef(env="S")))
    path = write(tmp_path, "out.yaml", to_yaml([*bundled(), secret]))
    assert read_yaml(path) == (*bundled(), secret)


def test_an_address_alone_is_a_feed_with_what_is_known_of_its_host() -> None:
    feed = subscription_of("https://feeds.bbci.co.uk/news/rss.xml")
    assert (feed.outlet, feed.publisher, feed.country) == ("BBC News", "BBC", "GB")
    assert feed.id.startswith("feeds.bbci.co.uk-")
    with pytest.raises(ConfigError):
        subscription_of("gopher://example.org/")


OPML = """<?xml version="1.0" encoding="{encoding}"?>
<!DOCTYPE opml [<!ENTITY bomb "x">]>
<opml version="1.0"><head><title>Mine</title></head><body>
  <outline text="World"><outline text="Europe" title="Europa">
    <outline type="rss" title="Zürich heute" xmlUrl="https://z.example/rss" htmlUrl="https://z.example/"/>
    <outline type="rss" text="No title &amp; more" XMLURL="https://n.example/rss" category="/News/World,gulf"/>
  </outline></outline>
  <outline type="rss" text="no address"/>
  <outline type="rss" text="again" xmlUrl="http://www.z.example/rss/"/>
  <outline type="rss" text="secret" xmlUrl="https://u:p@s.example/rss"/>
  <outline text="just a link" type="link" url="https://l.example/"/>
</body></opml>"""


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16"])
def test_opml_of_other_readers_is_read_in_any_encoding(encoding: str) -> None:
    outline = read_opml(OPML.format(encoding=encoding).encode(encoding))
    assert [(f.title, f.url, f.categories) for f in outline.feeds] == [
        ("Zürich heute", "https://z.example/rss", ("Europa",)),
        ("No title & more", "https://n.example/rss", ("Europa", "News/World", "gulf")),
    ]
    problems = {problem.line: problem.text for problem in outline.problems}
    assert set(problems) == {8, 9, 10}
    assert "same feed as in line 5" in problems[9]
    assert "credentials" in problems[10]
    assert "u:p" not in problems[10]


def test_opml_keeps_options_in_its_own_namespace_but_never_credentials_or_what_opens_doors() -> None:
    feed = Subscription(
        id="x", url="https://x.example/rss?a=1&b=2", title='A "quoted" & long title', language="de",
        categories=("World", "gulf"), interval_s=900, headers={"X-Token": "s3cret"}, cookie=SecretRef(file="/s3cret"),
        auth=Auth(user="u", password=SecretRef(env="PW")), tls_verify=False, allow_private_network=True,
        official=True, speaks_for="DE", identity="link",
    )  # fmt: skip
    text = write_opml([feed])
    for private in ("s3cret", "PW", "X-Token", "auth", "tls_verify", "private"):
        assert private not in text
    (back,) = read_opml(text.encode()).feeds
    kept = {"id", "url", "title", "language", "interval_s", "official", "speaks_for", "identity"}
    assert {name: getattr(back, name) for name in kept} == {name: getattr(feed, name) for name in kept}
    assert set(back.categories) == {"World", "gulf"}
    doors = "summitry:allow_private_network='true' summitry:tls_verify='false'"
    strangers = text.replace("<outline type", f"<outline {doors} type")
    (opened,) = read_opml(strangers.encode()).feeds
    assert not opened.allow_private_network
    assert opened.tls_verify


def test_opml_has_the_page_and_the_description_of_a_feed() -> None:
    feed = Subscription(id="x", url="https://x.example/rss", site="https://x.example/", notes='the "desk" & more')
    text = write_opml([feed])
    assert 'htmlUrl="https://x.example/"' in text
    (back,) = read_opml(text.encode()).feeds
    assert (back.site, back.notes) == (feed.site, feed.notes)
    told = "htmlUrl='{}' description='&lt;b&gt;Bold&lt;/b&gt; one'"
    odd = f"<opml><body><outline xmlUrl='https://x.example/' {told}/></body></opml>"
    for page, site in (("javascript:alert(1)", ""), ("https://u:p@x.example/a", "https://x.example/a"), ("", "")):
        (back,) = read_opml(odd.format(page).encode()).feeds
        assert (back.site, back.notes) == (site, "Bold one")


def test_an_option_that_nests_without_end_costs_its_row_only() -> None:
    rows = (
        f"<outline xmlUrl='https://a.example/' summitry:keep='{'[' * 100_000}'/><outline xmlUrl='https://b.example/'/>"
    )
    outline = read_opml(f"<opml><body>{rows}</body></opml>".encode())
    assert [feed.url for feed in outline.feeds] == ["https://b.example/"]
    assert len(outline.problems) == 1


def test_the_bundled_list_survives_opml() -> None:
    back = {feed.id: feed for feed in read_opml(write_opml(bundled()).encode()).feeds}
    for feed in bundled():
        assert msgspec.structs.replace(back[feed.id], title=feed.title) == feed


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"x" * (MAX_SIZE + 1)])
def test_what_is_no_opml_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigError):
        read_opml(data)


def test_deep_nesting_and_too_many_rows_are_bounded() -> None:
    deep = "<outline text='x'>" * 5000 + "<outline xmlUrl='https://d.example/'/>" + "</outline>" * 5000
    assert "deep" in read_opml(f"<opml><body>{deep}</body></opml>".encode()).problems[0].text


OPML_PIECES = [
    "<outline xmlUrl='https://a.example/'/>", "<outline", "<outline xmlUrl='http://['/>", "</outline>", "&", "<", "'",
    "<!DOCTYPE x [", "<outline text='&bad;' xmlUrl=\"https://b.example/?x&y\">", "\x00", " summitry:interval_s='no'",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(OPML_PIECES), max_size=12))
@pytest.mark.slow
def test_arbitrary_opml_is_read_or_refused_in_words(pieces: list[str]) -> None:
    try:
        outline = read_opml("".join(pieces).encode())
    except ConfigError:
        return
    assert all(feed.url.startswith("http") for feed in outline.feeds)


def test_every_option_of_a_feed_is_documented() -> None:
    page = (Path(__file__).parents[4] / "docs" / "feeds.md").read_text(encoding="utf-8")
    assert [name for name in OPTIONS if f"`{name}`" not in page] == []

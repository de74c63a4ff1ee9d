"""Test the behaviour table of docs/polling.md, rows 120, 121, 137 and 138: which parts of a page are used."""

# texts are kept on one line
from __future__ import annotations

import asyncio
import json

import pytest

from monitor.feeds.formats.page.article_data import article_data
from monitor.feeds.formats.page.main_text import PageText, extract
from monitor.feeds.pages.full_text import FullText
from monitor.feeds.pages.page_claims import _notices, is_about, names_article, notice_in
from monitor.feeds.polling.fetch import Fetcher
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.addresses import AddressBook
from monitor.records import Article
from tests.feedserver import FeedServer, Reply

WORDS = "The council of the port voted on Monday to widen the old bridge, after a year of talks with the railway. "
SITE = "https://gazette.example"


@pytest.mark.parametrize(
    ("canonical", "url", "named"),
    [
        ("/", "/2026/03/bridge-reopens-east", False),
        ("/index.html", "/a1", False),
        ("/en/", "/en/a1", False),
        ("/en-GB/home", "/en/a1", False),
        ("", "/a1", False),
        ("/news", "/news/a1", False),
        ("/world/europe", "/world/europe/story-one-of-all", False),
        ("/a1", "/a1", True),
        ("/a1", "/a1?utm_source=rss", True),
        ("/2026/03/bridge-reopens-east", "/amp/bridge-reopens-east", True),
        ("/world/bridge-reopens-east-19384756", "/articles/19384756", True),
        ("/story?id=884422", "/go?article=884422&ref=feed", True),
        ("/2026/03/another-story-of-all", "/2026/03/bridge-reopens-east", False),
        ("/news/2026/index", "/news/2026/a1", False),
        ("https://other.example/bridge-reopens-east", "/bridge-reopens-east", False),
        ("https://m.gazette.example/bridge-reopens-east", "/bridge-reopens-east", True),
        ("/politik/hafenbruecke-wird-breiter", "/r/x9", True),
    ],
)
def test_row_120_a_canonical_address_must_name_the_article(canonical: str, url: str, named: bool) -> None:
    canonical = canonical if canonical.startswith("http") else SITE + canonical
    assert (
        names_article(canonical, SITE + url, title="Hafenbrücke wird breiter: Rat stimmt zu")
        is (named and url != "/r/x9")
        or url == "/r/x9"
    )
    assert names_article(canonical, SITE + url, title="Die Hafenbruecke wird bald breiter") is named


@pytest.mark.parametrize(
    ("canonical", "url", "named"),
    [
        ("/?lang=en", "/a1", False),
        ("/?p=4711", "/bridge-opens?p=4711", True),
        ("/author/jane-doe", "/?p=77", False),
        ("/bridge-opens", "/?p=77", True),
        ("/77-other-words", "/?p=77", True),
        ("/login?next=/bridge-opens-1", "/bridge-opens-1", False),
        ("/consent?return=%2Fbridge-opens-1", "/bridge-opens-1", False),
        ("/subscribe?from=bridge-opens-1", "/bridge-opens-1", False),
        ("/2026/02/04/", "/2026/02/04/x1", False),
        ("/live/2026-02-04", "/live/2026-02-04/post-77777", False),
        ("/1", "/77", False),
        ("/articles/c1d2e3f4g5", "/articles/c1d2e3f4g5?at_medium=RSS", True),
        ("/articles/c1d2e3f4g5", "/articles/zz9yy8xx7w", False),
        ("/consent/bridge-opens-east", "/bridge-opens-east", False),
        ("/search?q=bridge-opens-east", "/bridge-opens-east", False),
        ("/tag/bridge-opens-east", "/2026/02/04/bridge-opens-east", False),
        ("/topic/ports/bridge-opens-east", "/topic/ports/bridge-opens-east?ref=1", True),
    ],
)
def test_row_120_neither_a_way_round_nor_a_day_nor_another_number_names_it(
    canonical: str, url: str, named: bool
) -> None:
    assert names_article(SITE + canonical, SITE + url, title="Bridge opens to traffic") is named


def test_row_120_where_a_redirect_ended_counts_as_well() -> None:
    final = f"{SITE}/world/eastern-bridge-opens"
    assert names_article(final, "https://click.example/x/9", final=final)
    assert not names_article(f"{SITE}/", "https://click.example/x/9", final=f"{SITE}/")


class Inline:
    async def extract(self, body: bytes, **options: str) -> PageText:
        return extract(body, **options)


async def enriched(
    server: FeedServer, pages: dict[str, str], also: tuple[str, ...] = (), title: str = "Story {}"
) -> list[Article]:
    fetcher = Fetcher(AddressBook())
    for path, text in pages.items():
        server.on(path, Reply(200, text.encode(), {"Content-Type": "text/html"}))

    async def no_wait(_: float) -> None:
        return None

    full = FullText(fetcher, Inline(), now=lambda: 0.0, sleep=no_wait)
    feed = Subscription(id="a", url=server.url(), allow_private_network=True, full_text="auto")
    articles = [
        Article(id=path, url=server.url(path), title=title.format(path), summary="What the feed says.")
        for path in (*pages, *also)
    ]
    done = list(await full.enrich(feed, articles))
    await fetcher.aclose()
    return done


def page(text: str, canonical: str = "") -> str:
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    return f"<html lang='en'><head><title>P</title>{link}</head><body><article><p>{text}</p></article></body></html>"


async def test_row_120_the_home_page_and_one_address_for_all_are_not_believed(server: FeedServer) -> None:
    home = await enriched(
        server, {"/a1": page(WORDS * 6, server.url("/")), "/a2": page(f"Later. {WORDS * 6}", server.url("/"))}
    )
    assert [article.url for article in home] == [server.url("/a1"), server.url("/a2")]
    assert all(article.text for article in home)
    shared = server.url("/live/story-of-the-bridge")
    live = await enriched(
        server,
        {
            "/live/story-of-the-bridge/1": page(WORDS * 6, shared),
            "/live/story-of-the-bridge/2": page(WORDS * 7, shared),
        },
    )
    assert [article.url for article in live] == [server.url(f"/live/story-of-the-bridge/{n}") for n in (1, 2)]
    one = await enriched(server, {"/amp/story-of-the-bridge": page(WORDS * 6, server.url("/story-of-the-bridge"))})
    assert [article.url for article in one] == [server.url("/story-of-the-bridge")]
    two = page(WORDS * 6).replace(
        "<title>", '<link rel="canonical" href="/b-1"><link rel="canonical" href="/c-2"><title>'
    )
    assert [article.url for article in await enriched(server, {"/b-1": two})] == [server.url("/b-1")]


NOTICES = {
    "consent": [
        "We value your privacy. We and our 842 partners store and/or access information on a device, such as cookies. ",
        "Wir verwenden Cookies und ähnliche Verfahren, um Ihnen Inhalte zu zeigen. ",
        "Le respect de votre vie privée est notre priorité. Nos 120 partenaires et nous traitons des données. ",
        "Мы используем файлы cookie, чтобы улучшить работу сайта. ",
        "Before you continue to the site, please choose. ",
        "A sütik kezelése: weboldalunk sütiket tesz a gépére. ",
        "Cookies on this site. We need some cookies to make it work. ",
        "อุปกรณ์ของคุณ: เว็บไซต์นี้ใช้คุกกี้ ",
        "אתר זה משתמש בעוגיות כדי לשפר את השירות. ",
    ],
    "paywall": [
        "Subscribe to continue reading. Plans start at one pound a week. ",
        "You’ve reached your limit of 5 free articles this month. ",
        "Jetzt weiterlesen mit unserem Angebot für Neukunden. ",
        "Cet article est réservé aux abonnés. ",
        "この記事は有料会員限定です。",
        "Para seguir leyendo, elige tu plan. ",
        "Subscribe now to keep reading this story. ",
        "Статья доступна только по подписке. ",
        "本文为付费内容，请购买后阅读。",
    ],
    "robot": [
        "Please enable JavaScript and cookies to go on. ",
        "Verify you are human by completing the action below. ",
        "Just a moment... Checking if the site connection is secure. ",
        "Please confirm your age: you must be over 18 to see this. ",
        "Bestätigen Sie Ihr Alter, um den Inhalt zu sehen. ",
        "Pour continuer, vous devez avoir plus de 18 ans pour voir ce contenu. ",
        "Pardon our interruption. As you were browsing, something made us think you were a robot. ",
    ],
    "missing": [
        "Sorry, we can’t find that page. ",
        "Seite nicht gefunden. ",
        "Страница не найдена. ",
        "This video is not available in your country. ",
        "Unfortunately, our website is currently unavailable in most European countries. ",
    ],
}


@pytest.mark.parametrize("length", [0, 300, 1500, 9000])
@pytest.mark.parametrize(
    ("kind", "phrase"), [(kind, phrase) for kind, phrases in NOTICES.items() for phrase in phrases]
)
def test_row_121_notices_are_recognised_at_any_length(kind: str, phrase: str, length: int) -> None:
    filler = "Details of how this works are in the terms that you find below, with all of its partners and purposes. "
    assert notice_in(phrase + filler * (length // len(filler))) == kind


@pytest.mark.parametrize("phrase", NOTICES["paywall"])
def test_row_121_a_teaser_that_ends_in_an_offer_is_no_article(phrase: str) -> None:
    assert notice_in(WORDS * 5 + phrase) == "paywall"


def test_row_121_an_article_about_such_notices_is_an_article() -> None:
    about = WORDS * 6 + "Banners that say “accept all cookies” are to go, the regulator said. " + WORDS * 6
    assert notice_in(about) is None
    assert notice_in(WORDS * 10) is None
    for start in (
        "The firm was fined over cookies on Monday. ", "Access denied: how the ministers shut out the press. ",
        "He told reporters that he wanted to keep reading the letter. ", "They spoke of legitimate interests. ",
        "Subscribers to the railway will pay more. ", "Page one of the treaty was signed. ",
    ):  # fmt: skip
        assert notice_in(start + WORDS * 9) is None
    assert notice_in("") is None


async def test_row_121_the_summary_stays_in_place(server: FeedServer) -> None:
    notice = "We value your privacy. We and our 77 partners store and/or access information on a device. " + WORDS * 20
    done = await enriched(server, {"/a1": page(notice), "/a2": page(WORDS * 6)})
    assert [(article.summary, bool(article.text)) for article in done] == [
        ("What the feed says.", False),
        ("What the feed says.", True),
    ]


@pytest.mark.slow
def test_row_121_every_phrase_of_the_data_file_is_recognised() -> None:
    for phrases in _notices().values():
        for phrase in phrases:
            assert notice_in(f"{phrase.replace('0', '12')} {WORDS * 9}") is not None


async def test_row_121_a_text_that_several_pages_have_is_no_article_in_whatever_words(server: FeedServer) -> None:
    notice = "Mae angen i chi ddewis cyn mynd ymlaen i ddarllen y dudalen hon, meddai'r safle. " * 9
    pages = {f"/a{n}": page(f"{notice} Cyfeirnod {n}.") for n in range(2)}
    articles = await enriched(server, {**pages, "/b": page(WORDS * 6)})
    assert [bool(article.text) for article in articles] == [False, False, True]


@pytest.mark.parametrize("how", ["long", "endless"])
async def test_row_121_a_page_that_is_too_large_leaves_the_summary_in_place(server: FeedServer, how: str) -> None:
    large = page(WORDS * 6) + "<!-- padding -->" * (600_000 if how == "long" else 1)
    if how == "endless":

        async def pour(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + large.encode())
            while True:
                writer.write(b"<p>more of it</p>" * 4096)
                await writer.drain()

        server.on("/endless", Reply(raw=pour))
        found = await enriched(server, {"/small": page(WORDS * 6)}, also=("/endless",))
    else:
        found = await enriched(server, {"/small": page(WORDS * 6), "/long": large})
    assert [(article.summary, bool(article.text)) for article in found] == [
        ("What the feed says.", True),
        ("What the feed says.", False),
    ]


# ---- 137: a text must be about what the feed said ----

TITLE = "Harbour council widens eastern bridge after railway talks"
#: What no list of phrases has: the same offer to subscribe, in languages of few newspapers.
UNHEARD = [
    "Til at lesa restina av hesum tíðindum mást tú vera limur í okkara felagsskapi og rinda hvønn mánað. " * 4,
    "Irakurtzen jarraitzeko, egin zaitez gure komunitateko kide eta lagundu kazetaritza libreari hilero. " * 4,
    "Om die res van hierdie berig te lees moet jy 'n lid word en elke maand vir ons werk betaal. " * 4,
    "Ці карыстаецеся вы старой версіяй праграмы? Абнавіце яе, каб убачыць змест гэтай старонкі цалкам. " * 4,
]


@pytest.mark.parametrize("text", UNHEARD)
async def test_row_137_a_text_without_the_articles_words_is_none(server: FeedServer, text: str) -> None:
    assert notice_in(text) is None
    found = await enriched(server, {"/a1": page(text), "/a2": page(WORDS * 6)}, title=TITLE)
    assert [bool(article.text) for article in found] == [False, True]


def test_row_137_a_few_of_the_words_are_enough_and_little_said_is_no_measure() -> None:
    assert is_about("On Monday the eastern pier, its railway and its harbour were quiet.", TITLE)
    assert is_about("Anything at all.", "Bridge widened")
    assert is_about("議会は月曜日、港の東側にある橋を広げることを決めた。", "港の東側の橋を広げる、議会が決定")
    assert not is_about("このページを表示するには会員になってください。", "港の東側の橋を広げる、議会が決定")


# ---- 138: what a page tells search engines ----


def data(*objects: object) -> str:
    return "".join(f'<script type="application/ld+json">{json.dumps(each)}</script>' for each in objects)


async def test_row_138_an_article_that_is_only_in_the_data_is_read(server: FeedServer) -> None:
    whole = {"@graph": [{"@type": "WebSite"}, {"@type": "NewsArticle", "articleBody": f"<p>{WORDS * 6}</p>"}]}
    shell = f"<html><head><title>P</title>{data(whole)}</head><body><div id='app'></div></body></html>"
    found = await enriched(server, {"/a1": shell})
    assert found[0].text == (WORDS * 6).strip()


async def test_row_138_the_teaser_of_a_paid_article_leaves_the_summary_in_place(server: FeedServer) -> None:
    paid = data({"@type": "NewsArticle", "isAccessibleForFree": "False"})
    free = data({"@type": "NewsArticle", "isAccessibleForFree": True})
    pages = {
        "/paid": page(WORDS * 6).replace("<body>", f"<body>{paid}"),
        "/free": page(f"Later. {WORDS * 6}").replace("<body>", f"<body>{free}"),
        "/metered": page(f"Today. {WORDS * 16}").replace("<body>", f"<body>{paid}"),
    }
    assert [bool(article.text) for article in await enriched(server, pages)] == [False, True, True]


def test_row_138_the_parts_of_a_live_blog_and_broken_data_are_passed_over() -> None:
    update = {"@type": "BlogPosting", "articleBody": "One of many updates."}
    blog = {"@type": "LiveBlogPosting", "liveBlogUpdate": [update, update], "articleBody": "What it is about."}
    assert article_data([json.dumps(blog), "{broken", "[[1]]"]).text == "What it is about."
    assert article_data([json.dumps([{"articleBody": "One."}, {"articleBody": "Two."}])]).text == ""
    assert not article_data(["{}"]).paid

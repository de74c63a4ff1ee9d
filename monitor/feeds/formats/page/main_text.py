"""Extract the article from a web page, with trafilatura from the extra `fulltext`. Runs in a parser process."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.errors import FeedError
from monitor.feeds.formats import entries
from monitor.feeds.formats.fields import article_urls, encoding, html_text
from monitor.feeds.formats.page.article_data import article_data

_MISSING = "full text needs trafilatura: pip install 'summitry[fulltext]'"


class PageText(msgspec.Struct, frozen=True, kw_only=True):
    """The article that was found on a page. `url` is the page's URL after redirects, `canonical` the one it names.

    `paid` means that the page says its article is behind a paywall.
    """

    text: str = ""
    title: str = ""
    canonical: str = ""
    url: str = ""
    language: str = ""
    paid: bool = False


def extract(body: bytes, *, url: str = "", selector: str = "", content_type: str = "") -> PageText:
    """Return the article on a page: the elements that `selector` (CSS) matches, or else what trafilatura finds.

    Raises FeedError: `fulltext_extra` when the extra is not installed, `bad_selector`, `no_text`.
    """
    try:
        import lxml.html  # noqa: PLC0415  # the extra may be missing
        import trafilatura  # noqa: PLC0415
    except ImportError as error:
        raise FeedError(_MISSING, reason="fulltext_extra", retryable=False) from error
    try:
        tree = lxml.html.fromstring(encoding.decode(body, content_type).text.encode("utf-8"), parser=_parser(lxml))
    except (ValueError, lxml.etree.LxmlError) as error:
        raise FeedError(f"the page can't be read: {error}"[:200], reason="no_text") from error
    title, canonical, language = _about(tree, url)
    if selector:
        text = _selected(tree, selector)
    else:
        found = trafilatura.extract(
            tree, url=url or None, include_comments=False, include_tables=False, favor_precision=True
        )
        text = html_text.fold(found or "")
    told = article_data([str(script) for script in tree.xpath("//script[@type='application/ld+json']/text()")])
    if not selector and len(told.text) > len(text):
        text = told.text
    if not text:
        raise FeedError("no article was found on the page", reason="no_text")
    return PageText(
        text=html_text.cap(text, entries.CONTENT_LIMIT),
        title=title,
        canonical=canonical,
        language=language,
        paid=told.paid,
    )


def _parser(lxml: Any) -> Any:  # noqa: ANN401  # the module itself, imported by the caller
    return lxml.html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)


def _selected(tree: Any, selector: str) -> str:  # noqa: ANN401  # lxml has no types
    try:
        nodes = tree.cssselect(selector)
    except ImportError as error:
        raise FeedError(_MISSING, reason="fulltext_extra", retryable=False) from error
    except Exception as error:
        raise FeedError(
            f"{selector!r} is not a CSS selector: {error}"[:200], reason="bad_selector", retryable=False
        ) from error
    import lxml.html  # noqa: PLC0415  # installed, since the caller parsed the page with it

    return html_text.fold(
        "\n".join(html_text.text_of(html_text.safe_html(lxml.html.tostring(n, encoding="unicode"), "")) for n in nodes)
    )


def _about(tree: Any, url: str) -> tuple[str, str, str]:  # noqa: ANN401  # lxml has no types
    """Return the title, canonical URL and language of a page."""
    titles = tree.xpath("string(//head/title)")
    addresses = list(dict.fromkeys(str(href).strip() for href in tree.xpath("//head/link[@rel='canonical']/@href")))
    languages = tree.xpath("/html/@lang")
    return (
        html_text.cap(html_text.plain(str(titles)), entries.TITLE_LIMIT),
        article_urls.absolute(url, addresses[0]) if len(addresses) == 1 else "",
        entries.tag(str(languages[0])) if languages else "",
    )

"""Write the sample feeds as RSS 2.0, RSS 1.0, Atom or JSON Feed, in the form in which outlets write them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from xml.sax.saxutils import escape, quoteattr

import msgspec

from agents.demo.story import DemoOutlet

_XML = '<?xml version="1.0" encoding="utf-8"?>\n'
_NOTE = "Sample feed with invented text"


@dataclass(frozen=True)
class DemoItem:
    """One published entry."""

    id: str
    title: str
    summary: str
    published: datetime
    updated: datetime


def document(outlet: DemoOutlet, items: Sequence[DemoItem], base: str) -> tuple[str, bytes]:
    """Return the content type and the bytes of an outlet's feed; `base` is the URL of the server."""
    content_type, write = _WRITERS[outlet.format]
    return content_type, write(outlet, items, f"{base}/{outlet.id}").encode()


def _rss(outlet: DemoOutlet, items: Sequence[DemoItem], site: str) -> str:
    entries = "".join(
        f"<item><title>{escape(item.title)}</title><link>{site}/{item.id}</link>"
        f'<guid isPermaLink="false">{outlet.id}-{item.id}</guid>'
        f"<description>{escape(item.summary)}</description>"
        f"<pubDate>{format_datetime(item.published)}</pubDate><category>sample</category></item>\n"
        for item in items
    )
    return (
        f'{_XML}<rss version="2.0"><channel><title>{escape(outlet.name)} (sample)</title><link>{site}</link>'
        f"<description>{_NOTE}</description><language>{outlet.language}</language>\n{entries}</channel></rss>\n"
    )


def _rdf(outlet: DemoOutlet, items: Sequence[DemoItem], site: str) -> str:
    links = "".join(f'<rdf:li rdf:resource="{site}/{item.id}"/>' for item in items)
    entries = "".join(
        f'<item rdf:about="{site}/{item.id}"><title>{escape(item.title)}</title><link>{site}/{item.id}</link>'
        f"<description>{escape(item.summary)}</description><dc:date>{item.published.isoformat()}</dc:date></item>\n"
        for item in items
    )
    return (
        f'{_XML}<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="{site}"><title>{escape(outlet.name)} (sample)'
        f"</title><link>{site}</link><description>{_NOTE}</description><dc:language>{outlet.language}</dc:language>"
        f"<items><rdf:Seq>{links}</rdf:Seq></items></channel>\n{entries}</rdf:RDF>\n"
    )


def _atom(outlet: DemoOutlet, items: Sequence[DemoItem], site: str) -> str:
    entries = "".join(
        f"<entry><id>{site}/{item.id}</id><title>{escape(item.title)}</title>"
        f'<link rel="alternate" href="{site}/{item.id}"/><published>{item.published.isoformat()}</published>'
        f"<updated>{item.updated.isoformat()}</updated><summary>{escape(item.summary)}</summary></entry>\n"
        for item in items
    )
    newest = max((item.updated for item in items), default=None)
    updated = f"<updated>{newest.isoformat()}</updated>" if newest else ""
    return (
        f'{_XML}<feed xmlns="http://www.w3.org/2005/Atom" xml:lang={quoteattr(outlet.language)}><id>{site}</id>'
        f"<title>{escape(outlet.name)} (sample)</title><subtitle>{_NOTE}</subtitle>{updated}\n{entries}</feed>\n"
    )


def _json(outlet: DemoOutlet, items: Sequence[DemoItem], site: str) -> str:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": f"{outlet.name} (sample)",
        "description": _NOTE,
        "language": outlet.language,
        "home_page_url": site,
        "items": [
            {
                "id": f"{site}/{item.id}",
                "url": f"{site}/{item.id}",
                "title": item.title,
                "summary": item.summary,
                "content_text": item.summary,
                "date_published": item.published.isoformat(),
            }
            for item in items
        ],
    }
    return msgspec.json.encode(feed).decode()


_WRITERS = {
    "rss": ("application/rss+xml", _rss),
    "rdf": ("application/rdf+xml", _rdf),
    "atom": ("application/atom+xml", _atom),
    "json": ("application/feed+json", _json),
}

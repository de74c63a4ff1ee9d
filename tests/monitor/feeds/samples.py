"""Make invented feeds as common software writes them, and change them while they stay well formed."""

from __future__ import annotations

import copy
import random
from xml.etree import ElementTree as ET

WORDPRESS = """<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"
 xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wfw="http://wellformedweb.org/CommentAPI/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:slash="http://purl.org/rss/1.0/modules/slash/">
<channel><title>Harbour Gazette</title>
<atom:link href="https://gazette.example/feed/" rel="self" type="application/rss+xml"/>
<link>https://gazette.example</link><description>News &amp; views</description>
<lastBuildDate>Mon, 02 Mar 2026 09:00:00 +0000</lastBuildDate><language>en-GB</language>
<sy:updatePeriod>
	hourly	</sy:updatePeriod><sy:updateFrequency>
	2	</sy:updateFrequency>
<image><url>https://gazette.example/i.png</url><title>Harbour</title><link>https://gazette.example</link>
<width>32</width><height>32</height></image>
<item><title>Talks &#8220;open&#8221; in the capital</title>
<link>https://gazette.example/talks/?utm_source=rss&amp;p=1</link>
<comments>https://gazette.example/talks/#comments</comments><dc:creator><![CDATA[Ann Sample]]></dc:creator>
<pubDate>Mon, 02 Mar 2026 08:30:00 +0000</pubDate>
<category><![CDATA[World]]></category><category><![CDATA[Talks]]></category>
<guid isPermaLink="false">https://gazette.example/?p=41</guid>
<description><![CDATA[<p>They met &#8230; <a href="/talks">more</a></p>]]></description>
<content:encoded><![CDATA[<p>They met for an hour.</p><script>x()</script><ul><li>trade</li></ul>]]></content:encoded>
<wfw:commentRss>https://gazette.example/talks/feed/</wfw:commentRss><slash:comments>3</slash:comments></item>
<item><title>Second</title><link>https://gazette.example/2;a?b=1&amp;c;=2</link><guid>https://gazette.example/2</guid>
<description/><content:encoded>plain words only</content:encoded></item></channel></rss>"""

BROADCASTER = """<?xml version="1.0" encoding="utf-8"?>
<rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/" version="2.0"
 xmlns:dcterms="http://purl.org/dc/terms/" xmlns:georss="http://www.georss.org/georss"
 xmlns:nyt="http://www.nytimes.example/namespaces/rss/2.0">
<channel><title><![CDATA[World Desk]]></title><description><![CDATA[World Desk - latest]]></description>
<link>https://desk.example/news</link><ttl>15</ttl><copyright>Copyright</copyright><generator>G</generator>
<skipHours><hour>1</hour><hour>24</hour></skipHours><skipDays><day>Sunday</day></skipDays>
<item><title><![CDATA[Ministers meet]]></title><description><![CDATA[Ministers met on Monday]]></description>
<link>https://desk.example/news/a1?at_medium=RSS</link><guid isPermaLink="false">https://desk.example/news/a1#0</guid>
<pubDate>Mon, 02 Mar 2026 08:00:00 GMT</pubDate><media:thumbnail width="240" height="135" url="https://img.example/1.jpg"/>
<nyt:kicker>Analysis</nyt:kicker><nyt:place code="x">Lyon</nyt:place><georss:point>45.7 4.8</georss:point></item>
<item><title>A caf\u00e9 at M\u00fcnchen</title><link>  https://desk.example/news/a2 </link>
<author>desk@desk.example (Ann Sample)</author><media:group><media:content
url="https://img.example/s.jpg" width="100" type="image/jpeg" medium="image" lang="en">
<media:title>Photo title</media:title><media:credit role="photographer">X / Agency</media:credit>
<media:description type="plain">A caption</media:description><media:keywords>one, two</media:keywords></media:content>
<media:content url="https://img.example/l.jpg" width="900" type="IMAGE/JPEG"/></media:group>
<enclosure url="https://img.example/e.png" type="image/png" length="12"/><source url="https://other.example/f">Other</source>
<category domain="https://desk.example/tags">Europe</category><category domain="https://desk.example/tags"></category>
<category>Asia</category><dc:subject>Trade</dc:subject><dc:date>2026-03-02T07:00:00Z</dc:date>
<dcterms:modified>2026-03-02T09:00:00Z</dcterms:modified><dc:language>de</dc:language></item></channel></rss>"""

ATOM = """<?xml version='1.0' encoding='UTF-8'?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en_US"
 xmlns:thr="http://purl.org/syndication/thread/1.0" xmlns:gd="http://schemas.google.example/g/2005">
<id>tag:blog.example,2026:1</id><updated>2026-03-02T09:00:00.000-08:00</updated><title type="text">A blog</title>
<subtitle type="html">Notes &amp;amp; more</subtitle><link rel="self" href="https://blog.example/feeds"/>
<link rel="alternate" type="text/html" href="https://blog.example/"/><link rel="hub" href="https://hub.example/"/>
<author><name>Ann</name><uri>https://blog.example/ann</uri><email>a@blog.example</email><gd:image width="1"/></author>
<generator version="7">Blogger</generator>
<entry><id>tag:blog.example,2026:1.2</id><published>2026-03-01T10:00:00Z</published><updated>2026-03-02T10:00:00Z</updated>
<category scheme="http://www.blogger.example/ns#" term="peace" label="Peace"/><category term="war"/>
<title type="html">&lt;b&gt;Peace&lt;/b&gt; talks</title><summary type="html">&lt;p&gt;Short&lt;/p&gt;</summary>
<content type="html">&lt;p&gt;Long &lt;img src="/i.png"&gt;&lt;/p&gt;</content>
<link rel="replies" type="application/atom+xml" href="https://blog.example/c"/><link rel="alternate" href="/2026/1"/>
<author><name>Ann</name></author><contributor><name>Bob</name></contributor><thr:total>0</thr:total></entry>
<entry xml:lang="fr"><id>urn:2</id><title xml:lang="fr">Deux</title><summary>Les &lt;mots&gt; &amp; le reste</summary>
<link href="https://blog.example/2"/><updated>2026-03-02T10:00:00Z</updated><rights>none</rights></entry></feed>"""

VIDEOS = """<feed xmlns:yt="http://www.youtube.example/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/"
 xmlns="http://www.w3.org/2005/Atom"><link rel="self" href="https://v.example/f"/><title>Channel</title>
<entry><id>yt:video:1</id><yt:videoId>1</yt:videoId><title>A film</title>
<link rel="alternate" href="https://v.example/1"/>
<author><name>Channel</name><uri>https://v.example/c</uri></author><published>2026-03-02T08:00:00+00:00</published>
<media:group><media:title>A film</media:title>
<media:content url="https://v.example/1.swf" type="application/x-shockwave-flash"/>
<media:thumbnail url="https://v.example/1.jpg" width="480"/><media:description>What is in it</media:description>
<media:community><media:starRating count="2"/><media:statistics views="7"/></media:community>
</media:group></entry></feed>"""

RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/">
<channel rdf:about="https://r.example/"><title>R</title><link>https://r.example/</link><description>D</description>
<dc:language>ja</dc:language><sy:updatePeriod>daily</sy:updatePeriod><image rdf:resource="https://r.example/i.png"/>
<items><rdf:Seq><rdf:li rdf:resource="https://r.example/1"/></rdf:Seq></items></channel>
<image rdf:about="https://r.example/i.png"><title>R</title><url>https://r.example/i.png</url><link>https://r.example/</link></image>
<item rdf:about="https://r.example/1"><title>\u9996\u8133\u4f1a\u8ac7</title><link>https://r.example/1</link>
<dc:date>2026-03-02T08:00:00+09:00</dc:date><dc:creator>A</dc:creator><dc:subject>x</dc:subject>
<description>\u6771\u4eac</description></item><item><title>No id</title></item></rdf:RDF>"""

PODCAST = """<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
 xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Pod</title><dc:title>Other name</dc:title><itunes:author>Ann</itunes:author>
<itunes:owner><itunes:name>Ann</itunes:name><itunes:email>a@p.example</itunes:email></itunes:owner>
<itunes:category text="News"><itunes:category text="Daily"/></itunes:category><itunes:image href="https://p.example/c.png"/>
<textInput><title>Find</title><name>q</name><link>https://p.example/q</link></textInput><cloud domain="x" port="80"/>
<item><title>One</title><itunes:title>One, once more</itunes:title><itunes:summary>Of &amp; on</itunes:summary>
<itunes:keywords>a, b,,c</itunes:keywords><itunes:duration>10</itunes:duration><itunes:explicit>no</itunes:explicit>
<itunes:image href="https://p.example/1.png"/><enclosure url="https://p.example/1.mp3" type="audio/mpeg"/>
<feedburner:origLink>https://p.example/orig</feedburner:origLink><link>https://burner.example/1</link>
<pubDate>Mon, 2 Mar 2026 10:00:00 EST</pubDate><guid>urn:1</guid></item></channel></rss>"""

SAMPLES = {
    "wordpress": WORDPRESS,
    "broadcaster": BROADCASTER,
    "atom": ATOM,
    "videos": VIDEOS,
    "rdf": RDF,
    "podcast": PODCAST,
}

_ATTRIBUTES = (
    ("type", "html"), ("type", "text"), ("type", "application/octet-stream"), ("type", "xhtml"), ("mode", "base64"),
    ("lang", "fr"), ("base", "https://b.example/x/"),
    ("{http://www.w3.org/XML/1998/namespace}lang", "de"), ("{http://www.w3.org/XML/1998/namespace}base", "/deep/"),
    ("{http://www.w3.org/XML/1998/namespace}lang", ""), ("href", "/h"), ("url", "u.png"), ("URL", "v.png"),
    ("rel", "Self"), ("term", "t"), ("domain", "d"),
    ("isPermaLink", "TRUE"), ("isPermaLink", "no"), ("lastmod", "2020-01-01"),
    ("{urn:x}href", "https://x.example/"), ("medium", "image"), ("label", ""),
    ("{http://search.yahoo.com/mrss/}url", "w.png"), ("src", "s"), ("uri", "at://x"), ("scheme", "s"), ("text", "t"),
)  # fmt: skip
_NAMES = (
    "title", "link", "guid", "id", "description", "summary", "content", "author", "name", "category", "source",
    "image", "url",
    "item", "entry", "channel", "language", "updated", "pubDate", "ttl", "links", "authors", "foo", "hour", "day",
    "textInput",
    "email", "own_id", "side_dc_title", "tags", "body", "where", "managingEditor", "skipHours", "icon",
    "{http://purl.org/dc/elements/1.1/}title", "{http://purl.org/dc/elements/1.1/}creator",
    "{http://purl.org/dc/elements/1.1/}date", "{http://purl.org/dc/elements/1.1/}publisher",
    "{http://purl.org/dc/terms/}created",
    "{http://purl.org/rss/1.0/modules/content/}encoded", "{http://search.yahoo.com/mrss/}title",
    "{http://search.yahoo.com/mrss/}content", "{http://search.yahoo.com/mrss/}thumbnail",
    "{http://search.yahoo.com/mrss/}group",
    "{http://search.yahoo.com/mrss/}credit", "{http://search.yahoo.com/mrss/}category",
    "{http://www.w3.org/2005/Atom}link",
    "{http://www.w3.org/2005/Atom}title", "{http://www.w3.org/1999/xhtml}div", "{urn:unknown}title",
    "{urn:unknown}thing",
    "{http://www.itunes.com/dtds/podcast-1.0.dtd}owner", "{http://www.itunes.com/dtds/podcast-1.0.dtd}image",
    "{http://www.itunes.com/dtds/podcast-1.0.dtd}category", "{http://creativecommons.org/ns#license}license",
    "{http://backend.userland.com/creativeCommonsRssModule}license", "{http://www.georss.org/georss}where",
    "{http://www.opengis.net/gml}Point", "{http://purl.org/rss/1.0/modules/syndication/}updatePeriod",
)  # fmt: skip
_TEXTS = (
    "", " ", "x", "two\n lines", "<b>bold</b> &amp; more", "a &lt; b", "https://t.example/a b",
    "/relative?x=1&amp;y;=2", "caf\u00e9", "Caf\u00c3\u00a9",
    "\u0093quoted\u0094", "mail@x.example (Name)", "Name <mail@x.example>", "\u6f22\u5b57\u306e\u8a71",
    "2026-03-02", "Mon, 02 Mar 2026 08:00:00 +0100", "a, b , c",
    "http:///three.example/x", "https://[bad", "javascript:alert(1)", "24", "en-us", "fr_FR", "\u00a0nb\u00a0",
    "\u200bz\u202e", "&#8217;s",
)  # fmt: skip


def changed(document: str, number: int) -> str:
    """The document with some elements moved, doubled, renamed, refilled or given attributes; still well formed."""
    dice = random.Random(number)
    root = ET.fromstring(document.encode("utf-8"))
    spare = [e for text in SAMPLES.values() for e in ET.fromstring(text.encode("utf-8")).iter()]
    for _ in range(dice.choice([1, 1, 1, 2, 3, 6])):
        elements = list(root.iter())
        one, other = dice.choice(elements), dice.choice(elements)
        match dice.randrange(7):
            case 0:
                one.text = dice.choice(_TEXTS)
            case 1:
                name, value = dice.choice(_ATTRIBUTES)
                one.set(name, value)
            case 2 if one is not root:
                one.tag = dice.choice(_NAMES)
            case 3:
                new = ET.Element(dice.choice(_NAMES))
                new.text = dice.choice(_TEXTS)
                other.insert(dice.randint(0, len(other)), new)
            case 4:
                other.insert(dice.randint(0, len(other)), copy.deepcopy(dice.choice(spare)))
            case 5:
                for parent in elements:
                    if one in list(parent):
                        parent.insert(dice.randint(0, len(parent)), copy.deepcopy(one))
                        break
            case 6:
                dice.shuffle(children := list(other))
                other[:] = children
    return ET.tostring(root, encoding="unicode")

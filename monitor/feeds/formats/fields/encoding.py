"""From bytes to text: which encoding a feed document really is in.

The order is that of FEEDS rule P1: byte order mark; "is it valid UTF-8?" whatever the labels say (miniflux does the
same, since a wrong label is far more common than another encoding that happens to be valid UTF-8); the XML declaration;
the HTTP charset; detection; windows-1252.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple


class Decoded(NamedTuple):
    """A document's text, the encoding it was read with, and what was odd about it ('' when nothing was)."""

    text: str
    encoding: str
    problem: str = ""


#: Longest first: the mark of UTF-32-LE begins with that of UTF-16-LE.
_MARKS = (
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
#: `<` and its neighbour in encodings that are not ASCII compatible (XML 1.0, appendix F.1).
_SHAPES = (
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<\x00", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
#: What a label names and what is really meant: supersets that producers use under the old name, as the WHATWG Encoding
#: Standard maps them (https://encoding.spec.whatwg.org/#names-and-labels).
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "big5": "big5hkscs",
    "utf-16": "utf-8",  # such a document has a mark or zero bytes, and is recognised by them; without, the label lies
    "utf-32": "utf-8",
}
#: Labels that Python's codec registry does not know.
_ALIASES = {
    "ks_c_5601-1987": "cp949",
    "x-sjis": "cp932",
    "x-gbk": "gb18030",
    "x-euc-jp": "euc_jp",
    "x-cp1251": "cp1251",
}
#: Codecs of Python that are no character encodings of documents.
_NO_CHARSETS = frozenset(
    "idna punycode unicode_escape raw_unicode_escape mbcs oem undefined base64 bz2 hex quopri rot_13 uu zlib".split()  # noqa: SIM905  # names
)
#: Encodings whose bytes are all ASCII, so that "valid UTF-8" says nothing.
_SEVEN_BIT = frozenset({"iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_kr", "hz", "utf-7"})

_DECLARATION = re.compile(rb"""^\s{0,64}<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
#: charset-normalizer is slow; news text shows its encoding within this many bytes.
_SAMPLE = 32_768


def decode(body: bytes, content_type: str = "") -> Decoded:
    """The text of `body`; never fails. `content_type` is the HTTP header as it came, '' when there was none."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return _forgiving(body[len(mark) :], name)
    for shape, name in _SHAPES:
        if body.startswith(shape):
            return _forgiving(body, name)
    labels = _labels(body, content_type)
    if labels and labels[0] in _SEVEN_BIT and body.isascii():
        return _forgiving(body, labels[0])
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        if (damaged := _damaged_utf8(body)) is not None:
            return Decoded(damaged, "utf-8", "broken bytes")
    else:
        odd = [label for label in labels if label != "utf-8"] if not body.isascii() else []
        return Decoded(text, "utf-8", f"labelled {odd[0]}, is utf-8" if odd else "")
    for label in labels:
        try:
            return Decoded(body.decode(label), label)
        except UnicodeDecodeError:
            continue
    return _detected(body, labels)


def _damaged_utf8(body: bytes) -> str | None:
    """The text where most of what is not ASCII is good UTF-8: such a document has damage, and no other encoding.

    Damage is a cut character, a byte of another encoding in a pasted quotation, or halves of surrogate pairs that
    somebody encoded one by one (CESU-8).
    """
    try:
        return body.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
    bad = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    good = sum(not char.isascii() for char in text) - bad
    return text if good >= 4 * bad else None


def _labels(body: bytes, content_type: str) -> list[str]:
    """The encodings that the document and its transport name, as Python codecs, without those nobody knows."""
    names = []
    if match := _DECLARATION.match(body[:512]):
        names.append(match[1].decode("ascii"))
    if found := _CHARSET.search(content_type[:500]):
        names.append(found[1])
    labels = []
    for name in names:
        codec = codec_of(name)
        if codec and codec not in labels:
            labels.append(codec)
    return labels


def codec_of(label: str) -> str:
    """The Python codec for a label of the web, '' when there is none."""
    low = label.strip().lower()
    try:
        info = codecs.lookup(_ALIASES.get(low, low))
    except (LookupError, ValueError):
        return ""
    if info.name.replace("-", "_") in _NO_CHARSETS:
        return ""
    return _SUPERSETS.get(info.name, info.name)


def _detected(body: bytes, labels: list[str]) -> Decoded:
    from charset_normalizer import from_bytes  # noqa: PLC0415  # seldom needed, and each parser process would load it

    best = from_bytes(body[:_SAMPLE]).best()
    guess = codec_of(best.encoding) if best is not None else ""
    for name in (guess, *labels, "cp1252"):
        if not name:
            continue
        text = body.decode(name, "replace")
        if text.count("\ufffd") * 50 <= len(text):
            return Decoded(text, name, "undeclared encoding" if not labels else f"not valid {labels[0]}")
    # Latin-1 maps every byte; what it makes of the undefined ones are controls, which are removed later.
    return Decoded(body.decode("latin-1"), "latin-1", "unknown encoding")


def _forgiving(body: bytes, name: str) -> Decoded:
    try:
        return Decoded(body.decode(name), name)
    except UnicodeDecodeError:
        return Decoded(body.decode(name, "replace"), name, "broken bytes")

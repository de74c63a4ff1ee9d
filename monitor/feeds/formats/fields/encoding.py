"""Finds out which encoding a feed document really is in, and makes text of its bytes.

In this order: byte order mark; "is it valid UTF-8?" whatever the labels say (a wrong label is far more common than
another encoding that happens to be valid UTF-8; miniflux does the same); the XML declaration; the HTTP charset; for
Latin letters the code page of their language, which is windows-1252 for most; detection.
"""

from __future__ import annotations

import codecs
import re
from functools import cache
from typing import NamedTuple

from monitor.feeds.formats.fields.common_signs import encoding_by_signs
from monitor.feeds.formats.fields.date_words import load_names


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
#: `<` or `{` and its neighbour in encodings that are not ASCII compatible (XML 1.0, appendix F.1).
_SHAPES = (
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<\x00", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00{", "utf-16-be"),
    (b"{\x00", "utf-16-le"),
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

#: Escapes by which they are known where no label names them (ISO-2022, RFC 1468 and RFC 1557).
_ESCAPES = {"iso2022_jp": (b"\x1b$B", b"\x1b$@", b"\x1b(J"), "iso2022_kr": (b"\x1b$)C",)}

_DECLARATION = re.compile(rb"""^\s{0,64}<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_LANGUAGE = re.compile(rb"""<language>\s*([A-Za-z]{2,3})|xml:lang\s*=\s*["']([A-Za-z]{2,3})""")
_TAG = re.compile(rb"<!\[CDATA\[|]]>|<[^<>]*>|&[#A-Za-z0-9]+;|https?://[^\s<>]+")
_HIGH, _LETTER, _CONTROL = re.compile(rb"[\x80-\xff]"), re.compile(rb"[A-Za-z]"), re.compile("[\x80-\x9f]")
#: Of the letters of a text in Latin script, at most this share is not ASCII; Vietnamese has the most.
_LATIN_SHARE = 0.4
#: Characters from which on the words show their language.
_ENOUGH = 60
#: charset-normalizer is slow; news text shows its encoding within this many bytes.
_SAMPLE = 32_768


def decode(body: bytes, content_type: str = "") -> Decoded:
    """Return the text of `body`; never fails. `content_type` is the HTTP header as it came, '' when there was none."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return _forgiving(body[len(mark) :], name)
    for shape, name in _SHAPES:
        if body.startswith(shape):
            return _forgiving(body, name)
    labels = _labels(body, content_type)
    if body.isascii() and (seven := _seven_bit(body, labels)):
        return _forgiving(body, seven)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        if (damaged := _damaged_utf8(body)) is not None:
            return Decoded(damaged, "utf-8", "broken bytes")
    else:
        odd = [label for label in labels if label != "utf-8"] if not body.isascii() else []
        return Decoded(text, "utf-8", f"labelled {odd[0]}, is utf-8" if odd else "")
    is_latin = _is_latin(body)
    if not is_latin and (found := encoding_by_signs(_words(body), labels[0] if labels else "")):
        return Decoded(body.decode(found, "replace"), found, _unlike(labels))
    for label in labels:
        if label == "cp1252":
            # The most frequent wrong label: what is not in Latin letters, or in a language with another code page.
            if is_latin:
                return _latin(body, labels)
            continue
        try:
            return Decoded(body.decode(label, "summitry-undefined" if label.startswith("cp12") else "strict"), label)
        except UnicodeDecodeError:
            continue
    return _latin(body, labels) if is_latin else _detected(body, labels)


def _unlike(labels: list[str]) -> str:
    return f"not valid {labels[0]}" if labels else "undeclared encoding"


def _seven_bit(body: bytes, labels: list[str]) -> str:
    """Return the encoding of a document whose bytes are ASCII and mean other signs, "" where they mean themselves."""
    if labels and labels[0] in _SEVEN_BIT:
        return labels[0]
    return next((name for name, escapes in _ESCAPES.items() if any(each in body for each in escapes)), "")


def _damaged_utf8(body: bytes) -> str | None:
    """Return the text where enough of what is not ASCII is good UTF-8: that is UTF-8 with damage.

    Damage is a cut character (becomes U+FFFD), a byte of windows-1252 in a pasted quotation (becomes its character), or
    halves of surrogate pairs that somebody encoded one by one (CESU-8, become one character; one alone goes). Returns
    None for another encoding.
    """
    try:
        return body.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
    bad = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    good = sum(not char.isascii() for char in text) - bad
    # Among Latin letters, good UTF-8 hardly ever comes about by chance; among Chinese ones it may.
    return body.decode("utf-8", "summitry-pasted") if good * (4 if _is_latin(body) else 1) >= bad else None


def _pasted(error: UnicodeError) -> tuple[str, int]:
    """Read bytes that are no UTF-8 as windows-1252, or as U+FFFD where a text was cut within a character."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    start, end = error.start, error.end
    # A cut character begins as one of several bytes does, and where texts are cut they end, or dots follow.
    is_cut = 0xC2 <= error.object[start] <= 0xF4 and error.object[end : end + 1] in _AFTER_A_CUT
    return "\ufffd" if is_cut else error.object[start:end].decode("cp1252", "replace"), end


def _undefined(error: UnicodeError) -> tuple[str, int]:
    """Read a byte that a code page leaves undefined as the control of that number, as browsers do."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


_AFTER_A_CUT = frozenset({b"", b"<", b".", b"[", b"]", b"&"})
codecs.register_error("summitry-pasted", _pasted)
codecs.register_error("summitry-undefined", _undefined)


def _labels(body: bytes, content_type: str) -> list[str]:
    """Return the encodings that the document and its transport name, as Python codecs, without unknown ones."""
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
    """Return the Python codec for a label of the web, '' when there is none."""
    low = label.strip().lower()
    try:
        info = codecs.lookup(_ALIASES.get(low, low))
    except (LookupError, ValueError):
        return ""
    if info.name.replace("-", "_") in _NO_CHARSETS:
        return ""
    return _SUPERSETS.get(info.name, info.name)


def _latin(body: bytes, labels: list[str]) -> Decoded:
    """Read a document in Latin letters, by the code page of its language.

    Such documents are nearly all ASCII. Detection by statistics takes French for Polish, so the language decides, which
    the ASCII letters show: most languages have windows-1252, which is also what browsers take for a wrong label.
    """
    pages = _code_pages()
    name = pages.get(_language(body)) or pages.get(_declared_language(body), "cp1252")
    text = body.decode(name, "summitry-undefined")
    if _CONTROL.search(text) and name != "cp1252":
        name, text = "cp1252", body.decode("cp1252", "summitry-undefined")
    return Decoded(text, name, "" if name in labels else _unlike(labels))


def _is_latin(body: bytes) -> bool:
    """Tell whether a document in an 8-bit encoding is in Latin letters: then nearly all of them are ASCII."""
    words = _words(body)
    foreign = len(_HIGH.findall(words))
    return foreign <= 3 or foreign <= _LATIN_SHARE * (foreign + len(_LETTER.findall(words)))


def _words(body: bytes) -> bytes:
    return _TAG.sub(b" ", body[:_SAMPLE])


def _language(body: bytes) -> str:
    """Return the language that the words show, '' where they are too few."""
    text = " ".join(_words(body).decode("cp1252", "replace").split())[:4000]
    if len(text) >= _ENOUGH:
        from monitor.language.identify import identify  # noqa: PLC0415  # brings all of detection, seldom needed

        return identify(text)
    return ""


def _declared_language(body: bytes) -> str:
    declared = _LANGUAGE.search(body[:4096])
    return (declared[1] or declared[2]).decode("ascii").lower() if declared else ""


@cache
def _code_pages() -> dict[str, str]:
    return load_names("code_pages.yaml", dict[str, str])


def _detected(body: bytes, labels: list[str]) -> Decoded:
    from charset_normalizer import from_bytes  # noqa: PLC0415  # seldom needed, and each parser process would load it

    best = from_bytes(body[:_SAMPLE]).best()
    guess = codec_of(best.encoding) if best is not None else ""
    for name in (guess, *labels, "cp1252"):
        if not name:
            continue
        text = body.decode(name, "replace")
        if text.count("\ufffd") * 50 <= len(text):
            return Decoded(text, name, _unlike(labels))
    # Latin-1 maps every byte; what it makes of the undefined ones are controls, which are removed later.
    return Decoded(body.decode("latin-1"), "latin-1", "unknown encoding")


def _forgiving(body: bytes, name: str) -> Decoded:
    try:
        return Decoded(body.decode(name), name)
    except UnicodeDecodeError:
        return Decoded(body.decode(name, "replace"), name, "broken bytes")

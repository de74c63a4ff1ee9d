"""Find the real encoding of a feed document, and decode it.

These are tried in order: the byte order mark; UTF-8, whatever the labels say, since a wrong label is far more common
than another encoding that happens to be valid UTF-8 (miniflux does the same); frequent characters of non-Latin scripts
(`common_signs`); the XML declaration and the HTTP charset; for Latin scripts the code page of the language
(`code_pages`), mostly windows-1252; statistical detection.
"""

from __future__ import annotations

import codecs
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

from monitor.feeds.formats.fields.code_pages import code_page, latin_pages
from monitor.feeds.formats.fields.common_signs import encoding_by_signs
from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "encoding_labels.yaml"


class Decoded(NamedTuple):
    """A document's text, the encoding it was decoded with, and the problem found ('' for none)."""

    text: str
    encoding: str
    problem: str = ""


#: Byte order marks. The longest first: the mark of UTF-32-LE begins with that of UTF-16-LE.
_MARKS = (
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
#: The first bytes of a document without a mark, `<` or `{`, in encodings that do not extend ASCII (XML 1.0, F.1).
_SHAPES = (
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00<\x00", "utf-16-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00{", "utf-16-be"),
    (b"{\x00", "utf-16-le"),
    (b"\x4c\x6f\xa7\x94", "cp037"),
)
_BLANK_UTF_16 = re.compile(rb"(?:((?:\x00[ \r\n\t])+\x00)|(?:[ \r\n\t]\x00)+)[<{]")
#: The encoding that a label really means. Many programs write the old name and use its superset; the map follows the
#: WHATWG Encoding Standard (https://encoding.spec.whatwg.org/#names-and-labels).
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
    "utf-16": "utf-8",  # real UTF-16 was recognised before, by its mark or its zero bytes, so this label is wrong
    "utf-32": "utf-8",
}
#: Python codecs that are not character encodings of documents.
_NO_CHARSETS = frozenset((
    "idna", "punycode", "utf_7", "unicode_escape", "raw_unicode_escape", "mbcs", "oem", "undefined", "base64", "bz2",
    "hex", "quopri", "rot_13", "uu", "zlib",
))  # fmt: skip
#: Encodings whose bytes are all ASCII, so that being valid UTF-8 proves nothing.
_SEVEN_BIT = frozenset({"iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_kr", "hz"})

#: Escape sequences that show such an encoding without a label (ISO-2022, RFC 1468 and RFC 1557).
_ESCAPES = {"iso2022_jp": (b"\x1b$B", b"\x1b$@", b"\x1b(J"), "iso2022_kr": (b"\x1b$)C",)}

_DECLARATION = re.compile(rb"""^\s{0,64}<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")
_CHARSET = re.compile(r"""charset\s*[=:]\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
_LANGUAGE = re.compile(rb"""<language>\s*([A-Za-z]{2,3})|xml:lang\s*=\s*["']([A-Za-z]{2,3})""")
_TAG = re.compile(rb"<!\[CDATA\[|]]>|<[^<>]*>|&[#A-Za-z0-9]+;|https?://[^\s<>]+")
_HIGH, _LETTER, _CONTROL = re.compile(rb"[\x80-\xff]"), re.compile(rb"[A-Za-z]"), re.compile("[\x80-\x9f]")
#: The largest share of non-ASCII letters in a text of Latin script; Vietnamese has the most.
_LATIN_SHARE = 0.4
#: The number of characters needed to identify the language with confidence, and to guess it.
_ENOUGH, _FEW = 60, 24
#: Bytes that are examined. charset-normalizer is slow, and this many bytes of news are enough.
_SAMPLE = 32_768


def decode(body: bytes, content_type: str = "") -> Decoded:
    """Decode `body`; never raises. `content_type` is the HTTP header, '' when there was none."""
    if shown := _shown_at_once(body):
        length, name = shown
        return _forgiving(body[length:], name)
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
        if is_latin and label in latin_pages():  # such labels are often wrong, so the letters decide
            return _latin(body, labels)
        if label == "cp1252":
            continue  # the most common wrong label: this text is not in Latin script
        try:
            return Decoded(body.decode(label, "summitry-undefined" if label.startswith("cp12") else "strict"), label)
        except UnicodeDecodeError:
            continue
    return _latin(body, labels) if is_latin else _detected(body, labels)


def _shown_at_once(body: bytes) -> tuple[int, str] | None:
    """Return the length of the byte order mark and the encoding, when the first bytes show it, else None."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return len(mark), name
    for shape, name in _SHAPES:
        if body.startswith(shape):
            return 0, name
    if blank := _BLANK_UTF_16.match(body):  # white space before it
        return 0, "utf-16-be" if blank[1] is not None else "utf-16-le"
    return None


def _unlike(labels: list[str]) -> str:
    return f"not valid {labels[0]}" if labels else "undeclared encoding"


def _seven_bit(body: bytes, labels: list[str]) -> str:
    """Return the 7-bit encoding (such as ISO-2022-JP) of a document of ASCII bytes, "" when it is plain ASCII."""
    if labels and labels[0] in _SEVEN_BIT:
        return labels[0]
    return next((name for name, escapes in _ESCAPES.items() if any(each in body for each in escapes)), "")


def _damaged_utf8(body: bytes) -> str | None:
    """Decode UTF-8 with some damaged characters; return None when too little of it is UTF-8.

    A character that was cut becomes U+FFFD. A byte of windows-1252, as in a pasted quotation, becomes its character. A
    surrogate pair that was encoded as two characters (CESU-8) becomes one character; a lone surrogate is removed.
    """
    try:
        return body.decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    except UnicodeDecodeError:
        text = body.decode("utf-8", "replace")
    bad = text.count("\ufffd") - body.count(b"\xef\xbf\xbd")
    good = sum(not char.isascii() for char in text) - bad
    # In Latin script other encodings hardly ever look like UTF-8 by chance, so fewer good characters are enough.
    return body.decode("utf-8", "summitry-pasted") if good * (4 if _is_latin(body) else 1) >= bad else None


def _pasted(error: UnicodeError) -> tuple[str, int]:
    """Handle bytes that are not UTF-8: decode them as windows-1252, or as U+FFFD when a character was cut."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    start, end = error.start, error.end
    # A cut character starts with the first byte of a multi-byte character, and the text ends there or dots follow.
    is_cut = 0xC2 <= error.object[start] <= 0xF4 and error.object[end : end + 1] in _AFTER_A_CUT
    return "\ufffd" if is_cut else error.object[start:end].decode("cp1252", "replace"), end


def _undefined(error: UnicodeError) -> tuple[str, int]:
    """Handle a byte that a code page does not define: decode it as the control character, as browsers do."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


_AFTER_A_CUT = frozenset({b"", b"<", b".", b"[", b"]", b"&"})
codecs.register_error("summitry-pasted", _pasted)
codecs.register_error("summitry-undefined", _undefined)


def _labels(body: bytes, content_type: str) -> list[str]:
    """Return the encodings that the XML declaration and the HTTP header name, as Python codecs. Skips unknown ones."""
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
    """Return the Python codec for an encoding label such as `x-sjis`, '' when there is none."""
    low = label.strip().lower()
    try:
        info = codecs.lookup(low)
    except (LookupError, ValueError):
        if not (known := _labels_of_the_web().get(low)):
            return ""
        info = codecs.lookup(known)
    if info.name.replace("-", "_") in _NO_CHARSETS:
        return ""
    return _SUPERSETS.get(info.name, info.name)


@cache
def _labels_of_the_web() -> dict[str, str]:
    """Return Python's codec for each label that it does not know by itself."""
    table = read_data_file(_FILE, dict[str, tuple[str, ...]])
    return {label: codec for codec, labels in table.items() for label in labels}


def _latin(body: bytes, labels: list[str]) -> Decoded:
    """Decode a document in Latin script with the code page that fits its language.

    Such documents are nearly all ASCII, and statistical detection takes French for Polish. So `code_page` looks at the
    letters: in the right encoding they are those of the language.
    """
    languages = [_language(body), _declared_language(body)]
    name = code_page(_words(body), languages, _language(body, _FEW), labels)
    text = body.decode(name, "summitry-undefined")
    if _CONTROL.search(text) and name != "cp1252":
        name, text = "cp1252", body.decode("cp1252", "summitry-undefined")
    return Decoded(text, name, "" if name in labels else _unlike(labels))


def _is_latin(body: bytes) -> bool:
    """Tell whether a document in an 8-bit encoding is in Latin script: then most of its letters are ASCII."""
    words = _words(body)
    foreign = len(_HIGH.findall(words))
    return foreign <= 3 or foreign <= _LATIN_SHARE * (foreign + len(_LETTER.findall(words)))


def _words(body: bytes) -> bytes:
    return _TAG.sub(b" ", body[:_SAMPLE])


def _language(body: bytes, enough: int = _ENOUGH) -> str:
    """Return the language of the text, '' when it has fewer than `enough` characters."""
    text = " ".join(_words(body).decode("cp1252", "replace").split())[:4000]
    if len(text) >= enough:
        from monitor.language.identify import identify  # noqa: PLC0415  # slow to import and seldom needed

        return identify(text)
    return ""


def _declared_language(body: bytes) -> str:
    declared = _LANGUAGE.search(body[:4096])
    return (declared[1] or declared[2]).decode("ascii").lower() if declared else ""


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
    # Latin-1 decodes every byte; the control characters that may result are removed later.
    return Decoded(body.decode("latin-1"), "latin-1", "unknown encoding")


def _forgiving(body: bytes, name: str) -> Decoded:
    try:
        return Decoded(body.decode(name), name)
    except UnicodeDecodeError:
        return Decoded(body.decode(name, "replace"), name, "broken bytes")

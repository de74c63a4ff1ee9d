"""Test how the encoding of a document is found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.feeds.formats.fields.encoding import codec_of, decode

RUSSIAN = (
    "<rss><title>Президенты двух стран провели телефонный разговор о торговле и безопасности в регионе</title></rss>"
)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_marks_and_shapes_tell_the_unicode_encodings(codec: str) -> None:
    assert decode(RUSSIAN.encode(codec)).text.lstrip("\ufeff") == RUSSIAN


def test_the_declaration_counts_before_the_header_and_both_before_a_guess() -> None:
    body = b'<?xml version="1.0" encoding="windows-1251"?>' + RUSSIAN.encode("cp1251")
    assert decode(body, "text/xml; charset=koi8-r").encoding == "cp1251"
    assert decode(RUSSIAN.encode("koi8-r"), 'text/xml; charset="KOI8-R"').text == RUSSIAN


def test_without_any_label_the_bytes_decide() -> None:
    found = decode(RUSSIAN.encode("cp1251") * 3)
    assert found.text == RUSSIAN * 3
    assert found.problem == "undeclared encoding"


def test_a_wrong_label_of_valid_utf8_is_told() -> None:
    assert decode(RUSSIAN.encode(), "text/xml; charset=iso-8859-1").problem == "labelled cp1252, is utf-8"


def test_damage_in_utf8_stays_utf8() -> None:
    body = "Élysée: le président a été reçu à Genève".encode()
    assert decode(body[:-1] + b"\xe9 " + body, "text/xml; charset=iso-8859-1").encoding == "utf-8"
    assert decode(b"a\xed\xa0\xbd\xed\xb8\x80b").text == "a\U0001f600b"


def test_seven_bit_encodings_are_believed_when_the_document_says_so() -> None:
    text = "首相が電話会談"
    body = b'<?xml version="1.0" encoding="iso-2022-jp"?>' + text.encode("iso2022_jp")
    assert text in decode(body).text


@pytest.mark.parametrize(
    ("label", "codec"),
    [("latin1", "cp1252"), ("US-ASCII", "cp1252"), ("x-sjis", "cp932"), ("KS_C_5601-1987", "cp949"), ("gbk", "gb18030"),
     ("utf8", "utf-8"), ("base64", ""), ("rot13", ""), ("no-such", ""), ("unicode_escape", ""),
     ("utf-7", ""), ("undefined", ""), ("\x00", "")],
)  # fmt: skip
def test_labels_of_the_web_mean_these_codecs(label: str, codec: str) -> None:
    assert codec_of(label) == codec


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.text(max_size=30))
def test_decoding_never_fails(body: bytes, header: str) -> None:
    decode(body, header).text.encode("utf-8", "surrogatepass")
    decode(b'<?xml version="1.0" encoding="' + header.encode()[:20] + b'"?>' + body, f"text/xml; charset={header}")


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"], min_codepoint=32), min_size=1))
def test_valid_utf8_is_read_as_it_is(text: str) -> None:
    document = f"<rss>{text}</rss>"
    assert decode(document.encode(), "text/xml; charset=iso-8859-5").text == document

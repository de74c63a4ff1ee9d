"""Test article files: compressed and encoded ones are read, or refused with the name of the format."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard

from monitor.articles import Lines, read_article
from monitor.errors import SummitryError

TEXT = '{"id": "1", "title": "Übung"}\n\n{"id": "2", "title": "Zwei"}\n'
PLAIN = TEXT.encode()
FORMS: dict[str, Callable[[], bytes]] = {
    "utf-8": lambda: PLAIN,
    "byte order mark": lambda: b"\xef\xbb\xbf" + PLAIN,
    "utf-16": lambda: TEXT.encode("utf-16"),
    "utf-16 big-endian": lambda: b"\xfe\xff" + TEXT.encode("utf-16-be"),
    "gzip": lambda: gzip.compress(PLAIN),
    "bzip2": lambda: bz2.compress(PLAIN),
    "xz": lambda: lzma.compress(PLAIN),
    "zstandard": lambda: zstandard.compress(PLAIN),
    "gzip of utf-16": lambda: gzip.compress(TEXT.encode("utf-16")),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_gives_the_same_lines(form: str, tmp_path: Path) -> None:
    file = tmp_path / "articles"
    file.write_bytes(FORMS[form]())
    wanted = [(1, TEXT.splitlines()[0]), (3, TEXT.splitlines()[2])]
    assert [(n, line.decode().strip()) for _, n, line in Lines((str(file),))] == wanted
    piped = Lines((), io.BytesIO(FORMS[form]()))
    assert [(n, line.decode().strip()) for _, n, line in piped] == wanted


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"PK\x03\x04", "zip"),
        (b"PAR1", "parquet"),
        (b"7z\xbc\xaf", "7z"),
        (TEXT.encode("utf-16-le"), "UTF-16 without a byte order mark"),
        (TEXT.encode("utf-16-be"), "UTF-16 without a byte order mark"),
    ],
)
def test_what_is_not_read_is_refused_by_name(start: bytes, kind: str, tmp_path: Path) -> None:
    file = tmp_path / "articles"
    file.write_bytes(start + b"rest")
    with pytest.raises(SummitryError, match=kind):
        list(Lines((str(file),)))


def test_times_without_a_zone_are_utc() -> None:
    """As on the topic: a time without a zone can't be compared with the others."""
    article = read_article(b'{"id":"a","title":"T","published":"2026-02-04T18:00:00","seen":"2026-02-04T18:00:00"}')
    assert article.published == article.seen == datetime(2026, 2, 4, 18, tzinfo=UTC)

"""Test how requests are addressed and written, compared with httpx for the same URLs."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.errors import HttpError
from monitor.http import outgoing
from monitor.http.outgoing import Destination, Outgoing, destination, of_url, written

hosts = st.text(st.sampled_from("aZ09.-_:@é[]"), max_size=10) | st.sampled_from(
    ["a.example", "news.a-b.example", "localhost", "127.0.0.1", "1.2.3.256", "01.2.3.4", "[::1]", "xn--a.example"]
)
ports = st.sampled_from(["", ":80", ":443", ":8080", ":0", ":99999", ":"])
paths = st.text(st.sampled_from("/a.?#%20'\"é&=~|{}[]^`\\<> +;,!*()"), max_size=14)


@settings(max_examples=1000)
@given(st.sampled_from(["http://", "https://", "HTTP://"]), hosts, ports, paths)
@example("https://", "a.example", "", "/a/./b/../c?x=1")
@example("http://", "a.example", ":80", "?")
@pytest.mark.slow
def test_addresses_are_read_as_by_httpx(scheme: str, host: str, port: str, path: str) -> None:
    url = f"{scheme}{host}{port}{path}"
    try:
        expected = of_url(httpx.URL(url))
    except httpx.InvalidURL:
        with pytest.raises(httpx.InvalidURL):
            destination(url)
    else:
        assert destination(url) == expected


@pytest.mark.parametrize(
    ("url", "to"),
    [
        ("https://a.example/x.xml?a=b", Destination("https", "a.example", 443, b"/x.xml?a=b", b"a.example")),
        ("http://127.1.2.1:8080/7", Destination("http", "127.1.2.1", 8080, b"/7", b"127.1.2.1:8080")),
        ("http://localhost", Destination("http", "localhost", 80, b"/", b"localhost")),
    ],
)  # fmt: skip
def test_ordinary_addresses_need_no_httpx(url: str, to: Destination, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outgoing, "of_url", None)
    assert destination(url) == to


def test_a_request_is_written_line_by_line() -> None:
    to = destination("http://a.example/feed?x")
    request = Outgoing("POST", to, [(b"Host", to.authority), (b"Content-Length", b"4")], b"a=%C3")
    assert written(request) == b"POST /feed?x HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\na=%C3"


@pytest.mark.parametrize(
    ("header", "path"), [((b"A", b"x\r\nB: y"), b"/"), ((b"A B", b"x"), b"/"), ((b"A", b"x"), b"/ a")]
)
def test_what_would_break_a_request_is_not_sent(header: tuple[bytes, bytes], path: bytes) -> None:
    to = Destination("http", "a.example", 80, path, b"a.example")
    with pytest.raises(HttpError) as raised:
        written(Outgoing("GET", to, [header]))
    assert raised.value.reason == "bad_request"

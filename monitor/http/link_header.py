"""Read the HTTP `Link` header (RFC 8288), in which servers name WebSub hubs, feeds and other forms of a page."""

from __future__ import annotations

import re

_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[\w!#$&+\-.^`|~*]+(?:\s*=\s*(?:\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]*))?)*)")
_PARAMETER = re.compile(r";\s*([\w!#$&+\-.^`|~*]+)(?:\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s;,\"]*)))?")


def link_header(value: str) -> list[tuple[str, str, str]]:
    """Return the links of a `Link` header: the URL, the relations as one string, and the media type of each."""
    links = []
    for match in _LINK.finditer(value[:20_000]):
        parameters: dict[str, str] = {}
        for name, quoted, token in _PARAMETER.findall(match[2]):
            # Of a repeated parameter only the first counts (section 3.3 and 3.4.1).
            parameters.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) or token)
        links.append((match[1].strip(), parameters.get("rel", ""), parameters.get("type", "")))
    return links

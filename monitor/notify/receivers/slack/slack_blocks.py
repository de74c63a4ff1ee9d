"""Render an alert as blocks of Slack's Block Kit, within its limits.

Limits: https://docs.slack.dev/reference/block-kit/blocks (header 150, section 3,000, field 2,000, 10 context elements,
50 blocks); all blocks together about 13,000 characters (https://github.com/slackapi/bolt-js/issues/2509), so 12,000
are used. Only `&`, `<` and `>` are escaped (https://docs.slack.dev/messaging/formatting-message-text), so texts from
outside can't notify a channel or make a link.
"""

from __future__ import annotations

import json
import re
from typing import Any, TypeAlias

from monitor.notify.messages.compose import Link, Message
from monitor.notify.messages.plain import details, replies

Block: TypeAlias = dict[str, Any]

MAX_HEADER, MAX_SECTION, MAX_FIELD, MAX_TEXT, MAX_BLOCKS = 150, 3000, 2000, 4000, 50
MAX_TOTAL = 12_000
_BRIEF, _SOURCES = 2400, 2400
_EMOJI = {
    "held": "🟢", "ongoing": "🟢", "planned": "🔵", "proposed": "🔵", "rescheduled": "🔵",
    "postponed": "🟠", "unconfirmed": "🟠", "cancelled": "🔴", "denied": "🔴", "retracted": "🔴", "past": "⚪",
}  # fmt: skip
#: The numbers of sources behind a claim: `[1]`, `[1, 2]`.
_REFERENCE = re.compile(r"\[([0-9]{1,3}(?:, ?[0-9]{1,3}){0,20})\]")


def escape(text: str) -> str:
    """Return the text escaped, so that Slack shows it literally."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, limit: int) -> str:
    """Return the escaped text, cut to at most `limit` characters but not inside an escape."""
    escaped = escape(text)
    if len(escaped) <= limit:
        return escaped
    shortened = escaped[: limit - 1]
    return re.sub(r"&[a-z]{0,4}$", "", shortened) + "…"


def link(url: str, label: str) -> str:
    """Return a link, or only the label when there is no URL. `|` and `>` are removed, as they would end the label."""
    label = cut(label.replace("|", " ").replace(">", " ").replace("<", " "), 120)
    return f"<{escape(url)}|{label}>" if url else label


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _context(*texts: str) -> list[Block]:
    """Return a context block (small print) in a list; [] when all texts are empty."""
    elements = [{"type": "mrkdwn", "text": text[:MAX_SECTION], "verbatim": True} for text in texts if text]
    return [{"type": "context", "elements": elements[:10]}] if elements else []


def _title(message: Message, *, prefixed: bool) -> str:
    event = message.event
    mark = _EMOJI.get(event.status, "") if event else "🟠"
    return f"{mark} {message.title if prefixed else message.headline}"


def _brief(brief: str, links: tuple[Link, ...]) -> str:
    """Return the brief with its reference numbers linked, shortened to fit into a section."""
    urls = {item.n: item.url for item in links}
    pieces: list[str] = []
    left = _BRIEF
    position = 0
    for found in _REFERENCE.finditer(brief):
        text = escape(brief[position : found.start()])
        number = "".join(_numbered(urls.get(int(n), ""), n.strip()) for n in found[1].split(","))
        if len(text) + len(number) > left:
            break
        pieces += (text, number)
        left -= len(text) + len(number)
        position = found.end()
    return "".join(pieces) + cut(brief[position:], max(left, 1))


def _numbered(url: str, number: str) -> str:
    return f"<{escape(url)}|[{number}]>" if url else f"[{number}]"


def _sources(message: Message) -> str:
    text = ""
    shown = 0
    for item in message.links:
        piece = f"{' · ' if text else ''}[{item.n}] {link(item.url, item.outlet)}{' ✓' if item.official else ''}"
        if len(text) + len(piece) > _SOURCES:
            break
        text += piece
        shown += 1
    more = len(message.links) - shown + message.more_links
    return f"{text} · +{more}" if more and text else text


def alert(message: Message) -> list[Block]:
    """Return the blocks of the main message: the event as it is now. Each edit replaces them."""
    if message.items:
        return fitted([_header(message), *(_section(_line(item)) for item in message.items)])
    if message.event is None:
        return fitted([_header(message), _section(cut(message.brief, MAX_SECTION))])
    title = _section(f"~*{cut(_title(message, prefixed=False), 500)}*~") if message.struck else _header(message)
    blocks = [title]
    if message.struck:
        status = message.words.status[message.event.status]
        said = message.words.prefix["merged"] if message.event.merged_into else status[:1].upper() + status[1:]
        blocks.append(_section(f"*{cut(said, 200)}*"))
    fields = [f"*{cut(name, 60)}*\n{cut(value, 600)}" for name, value in message.facts if value]
    if fields:
        texts = [{"type": "mrkdwn", "text": text, "verbatim": True} for text in fields[:10]]
        blocks.append({"type": "section", "fields": texts})
    if message.brief:
        blocks.append(_section(_brief(message.brief, message.links)))
    if sources := _sources(message):
        blocks.append(_section(sources))
    blocks += _context(cut(message.sources, 300), cut(message.why, 600), *_ack(message))
    return fitted(blocks)


def update(message: Message) -> list[Block]:
    """Return the blocks of a reply that says what changed."""
    lines = [f"*{cut(_title(message, prefixed=True), 500)}*", *(f"• {cut(line, 500)}" for line in message.changed)]
    return fitted([_section("\n".join(lines)[:MAX_SECTION]), *_context(cut(message.sources, 300), *_ack(message))])


def fallback(message: Message, *, prefixed: bool = False) -> str:
    """Return the plain text for notifications and screen readers."""
    lines = [cut(_title(message, prefixed=prefixed), 500), *(cut(line, 300) for line in message.changed)]
    lines += [cut(_title(item, prefixed=False), 200) for item in message.items]
    return "\n".join(lines)[:MAX_TEXT]


def _ack(message: Message) -> tuple[str, ...]:
    said = (cut(message.acknowledged, 200),) if message.acknowledged else ()
    return (*said, *(link(url, label) for label, url in replies(message)))


def _header(message: Message) -> Block:
    # Header text is plain: Slack shows it literally, so it is not escaped.
    title = _title(message, prefixed=False)
    text = title if len(title) <= MAX_HEADER else title[: MAX_HEADER - 1] + "…"
    return {"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}}


def _line(message: Message) -> str:
    first = next((item.url for item in message.links if item.url), "")
    return "\n".join([link(first, _title(message, prefixed=False)), *(cut(text, 200) for text in details(message))])


def fitted(blocks: list[Block]) -> list[Block]:
    """Return the blocks without the last ones that would make the message too large."""
    kept = blocks[:MAX_BLOCKS]
    while len(kept) > 1 and size(kept) > MAX_TOTAL:
        kept.pop(-2 if len(kept) > 2 else -1)  # the last block tells the sources and is kept longest
    return kept


def size(blocks: list[Block]) -> int:
    """Return the number of characters of all blocks as JSON."""
    return len(json.dumps(blocks, ensure_ascii=False))

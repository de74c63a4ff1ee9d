"""Render a message as plain text, for mail and apprise, with the template plain.txt."""

from __future__ import annotations

import re
from string import Template

from monitor.notify.messages.compose import Message

#: The most characters of a text. apprise itself shortens it further for services with a lower limit.
MAX_TEXT = 8000


def details(item: Message) -> tuple[str, ...]:
    """Return the lines below an event's headline in a batch: date and place, sources, and why it was sent."""
    rows = dict(item.facts)
    label = item.words.label
    found = [rows[label[name]] for name in ("when", "where") if label[name] in rows]
    return tuple(text for text in (" · ".join(found), item.sources, item.why) if text)


def replies(message: Message) -> tuple[tuple[str, str], ...]:
    """Return label and URL of the links for the reader: the event's page, acknowledging, and feedback."""
    page = ((message.words.board, message.page),) if message.page else ()
    seen = ((message.words.acknowledge, message.ack_url),) if message.ack_url else ()
    return (*page, *seen, *message.feedback)


def plain_text(message: Message, *, titled: bool = True) -> str:
    """Return the message as text. With `titled=False` it has no title, for receivers that show a subject."""
    words = message.words
    facts = [f"{name}{words.colon}{value}" for name, value in message.facts]
    links = [f"[{link.n}] {link.outlet}{' ✓' if link.official else ''} {link.url}".rstrip() for link in message.links]
    for item in message.items:
        url = next((link.url for link in item.links if link.url), "")
        facts += [f"- {item.headline}", *(f"  {text}" for text in (*details(item), url) if text), ""]
    if message.more_links:
        links.append(f"+ {message.more_links}")
    text = Template(words.plain).safe_substitute(
        title=message.title if titled else "",
        changed="\n".join(f"- {line}" for line in message.changed),
        facts="\n".join(facts),
        brief=message.brief,
        links="\n".join(links),
        sources=message.sources,
        why=message.why,
        acknowledged=message.acknowledged,
        acknowledge="\n".join(f"{label}{words.colon}{url}" for label, url in replies(message)),
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip()[:MAX_TEXT]

"""An alert as plain text, for mail and for whatever apprise reaches, after the template plain.txt."""

from __future__ import annotations

import re
from string import Template

from monitor.notify.messages.compose import Message

#: Characters at most: what the narrowest of the services that apprise reaches still takes is cut there, not here.
MAX_TEXT = 8000


def details(item: Message) -> tuple[str, ...]:
    """Return the lines below an event's headline in a message about several: date and place, sources, why."""
    rows = dict(item.facts)
    label = item.words.label
    found = [rows[label[name]] for name in ("when", "where") if label[name] in rows]
    return tuple(text for text in (" · ".join(found), item.sources, item.why) if text)


def replies(message: Message) -> tuple[tuple[str, str], ...]:
    """Return the links to the event's page and with which a reader answers, each behind its label."""
    page = ((message.words.board, message.page),) if message.page else ()
    seen = ((message.words.acknowledge, message.ack_url),) if message.ack_url else ()
    return (*page, *seen, *message.feedback)


def plain_text(message: Message, *, titled: bool = True) -> str:
    """Return the whole message; `titled` False leaves the first line to a subject. What is empty leaves no gap."""
    words = message.words
    facts = [f"{name}: {value}" for name, value in message.facts]
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
        acknowledge="\n".join(f"{label}: {url}" for label, url in replies(message)),
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip()[:MAX_TEXT]

"""An alert as plain text, for mail and for whatever apprise reaches, after the template plain.txt."""

from __future__ import annotations

import re
from string import Template

from monitor.notify.messages.compose import Message

#: Characters at most: what the narrowest of the services that apprise reaches still takes is cut there, not here.
MAX_TEXT = 8000


def title(message: Message) -> str:
    """The first line, with what kind of update it is."""
    prefix = message.words.prefix.get(message.tell, "") if message.words else ""
    return f"{prefix}: {message.headline}" if prefix else message.headline


def plain_text(message: Message, *, titled: bool = True) -> str:
    """The whole message; `titled` False leaves the first line to a subject. What is empty leaves no gap."""
    words = message.words
    facts = [f"{name}: {value}" for name, value in message.facts]
    links = [f"[{link.n}] {link.outlet}{' ✓' if link.official else ''} {link.url}".rstrip() for link in message.links]
    for item in message.items:
        url = next((link.url for link in item.links if link.url), "")
        facts += [f"- {item.headline}", f"  {item.sources}", *([f"  {url}"] if url else [])]
    if message.more_links:
        links.append(f"+ {message.more_links}")
    text = Template(words.plain if words else "$title\n\n$brief").safe_substitute(
        title=title(message) if titled else "",
        changed="\n".join(f"- {line}" for line in message.changed),
        facts="\n".join(facts),
        brief=message.brief,
        links="\n".join(links),
        sources=message.sources,
        why=message.why,
        acknowledged=message.acknowledged,
        acknowledge=f"{words.acknowledge}: {message.ack_url}" if words and message.ack_url else "",
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip()[:MAX_TEXT]

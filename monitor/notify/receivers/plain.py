"""An alert as plain text, for mail and for whatever apprise reaches."""

from __future__ import annotations

from monitor.notify.message import Message

#: Characters at most: what the narrowest of the services that apprise reaches still takes is cut there, not here.
MAX_TEXT = 8000


def title(message: Message) -> str:
    """The first line, with what kind of update it is."""
    prefix = message.words.prefix.get(message.tell, "") if message.words else ""
    return f"{prefix}: {message.headline}" if prefix else message.headline


def plain_text(message: Message, *, titled: bool = True) -> str:
    """The whole message; `titled` False leaves the first line to a subject."""
    lines = [title(message), ""] if titled else []
    lines += [f"- {line}" for line in message.changed] + ([""] if message.changed else [])
    for item in message.items:
        url = next((link.url for link in item.links if link.url), "")
        lines += [f"- {item.headline}", f"  {item.sources}", *([f"  {url}"] if url else [])]
    lines += [f"{name}: {value}" for name, value in message.facts]
    if message.brief:
        lines += ["", message.brief]
    if message.links:
        lines.append("")
    lines += [f"[{link.n}] {link.outlet}{' ✓' if link.official else ''} {link.url}".rstrip() for link in message.links]
    if message.more_links:
        lines.append(f"+ {message.more_links}")
    lines += ["", *(line for line in (message.sources, message.why, message.acknowledged) if line)]
    if message.ack_url and message.words:
        lines.append(f"{message.words.acknowledge}: {message.ack_url}")
    return "\n".join(lines).strip()[:MAX_TEXT]

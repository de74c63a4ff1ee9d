"""Print alerts to standard output: compact, in colour on a terminal, with one line for a quiet update."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from monitor.config import ConsoleReceiver
from monitor.errors import DeliveryError
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message
from monitor.notify.messages.plain import details
from monitor.notify.receivers.base import UNKNOWN, Lookup, Traits

_COLOURS = {
    "held": "32", "ongoing": "32", "planned": "36", "rescheduled": "36", "proposed": "36",
    "postponed": "33", "unconfirmed": "33", "cancelled": "31", "denied": "31", "retracted": "31", "past": "90",
}  # fmt: skip
_MARKS = {"first": "●", "loud": "▲", "retract": "✕", "merged": "=", "quiet": "·", "reminder": "!", "notice": "!"}


class Console:
    """Writes to a text stream."""

    def __init__(self, colour: bool, stream: TextIO | None = None) -> None:
        self.traits = Traits(edits=True)
        self._colour = colour
        self._stream = stream

    @classmethod
    def of(cls, config: ConsoleReceiver) -> Console:
        """Return the console as configured.

        `auto` is colour on a terminal, unless NO_COLOR is set (https://no-color.org).
        """
        auto = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        return cls(config.colour == "always" or (config.colour == "auto" and auto))

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Print the message."""
        # sys.__stdout__, because Faust replaces sys.stdout by a logger.
        stream = self._stream or sys.__stdout__
        if stream is None:
            raise DeliveryError("there is no standard output", reason="closed")
        try:
            stream.write(self.text(message) + "\n")
            stream.flush()
        except UnicodeEncodeError:
            stream.write(self.text(message).encode("ascii", "backslashreplace").decode() + "\n")
            stream.flush()
        except (OSError, ValueError) as error:
            raise DeliveryError(f"standard output can't be written: {error}", reason="closed") from error
        return head or {}

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Return UNKNOWN: nobody knows what was printed."""
        return UNKNOWN

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""

    def _paint(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text

    def text(self, message: Message) -> str:
        """Return the text that is printed for a message, without a newline at the end."""
        if message.items:
            lines = [self._paint(message.headline, "1")]
            for item in message.items:
                lines += [f"  {self._head(item)}", *(f"    {self._paint(text, '2')}" for text in details(item))]
            return "\n".join(lines)
        lines = [self._head(message)]
        if message.tell == "quiet":
            return f"{lines[0]} {self._paint('— ' + (message.acknowledged or message.sources), '2')}"
        lines += [self._row("", line) for line in message.changed]
        if message.event is None:
            lines.append(self._row("", message.brief))
            return "\n".join(lines)
        if message.tell in {"first", "retract"}:
            lines += [self._row(name, value) for name, value in message.facts]
            label = message.words.label
            if message.brief:
                lines.append(self._row(label["brief"], message.brief))
            for link in message.links:
                official = " ✓" if link.official else ""
                lines.append(self._row(f"[{link.n}]", f"{link.outlet}{official}  {self._paint(link.url, '4;2')}"))
            if message.more_links:
                lines.append(self._row("", f"+ {message.more_links}"))
            if message.sources:
                lines.append(self._row(label["sources"], message.sources))
            lines.append(self._row(label["why"], message.why))
        elif message.sources:
            lines.append(self._row("", message.sources))
        if message.page:
            lines.append(self._row("", message.page))
        if message.ack_url:
            lines.append(self._row("", message.ack_url))
        return "\n".join(lines)

    def _head(self, message: Message) -> str:
        event = message.event
        text = message.title
        weight = "9" if message.struck else "1"
        mark = self._paint(_MARKS.get(message.tell, "●"), _COLOURS.get(event.status, "0") if event else "33")
        at = f"{message.at.astimezone(message.words.zone):%H:%M:%S}"
        return f"{mark} {self._paint(at, '2')} {self._paint(text, weight)}"

    def _row(self, name: str, value: str) -> str:
        return f"    {self._paint(f'{name:<15}', '2')} {value}"

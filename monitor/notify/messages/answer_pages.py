"""The web pages behind the links of a message, in the reader's language: forms, and the pages after sending them."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from babel import Locale

from monitor.notify.messages.wording import Page, Wording, fill, languages, wording
from monitor.notify.replies.ack import FEEDBACK_PATH, PATH, Ack, AckRefusedError, Purpose


def words_for(language: str) -> Wording:
    """Return the texts of the language that a link names; English for an unknown language."""
    return wording(None, language) if language in languages() else wording()


def form(words: Wording, signed: Mapping[str, str]) -> str:
    """Return the acknowledgement form, which asks for the reader's name. `signed` are the fields of the link."""
    return _page(words, _text(words, "seen"), _form(words, PATH, signed, "", "mark"))


def feedback_form(words: Wording, purpose: Purpose, signed: Mapping[str, str]) -> str:
    """Return the feedback form: it asks for the reader's name, a comment, and maybe the article in question."""
    asks_which = purpose == "not_this_event"
    asked = _field(words, "article", "article", 2000) if asks_which else ""
    asked += _field(words, "what", "comment", 500)
    fields = {"verdict": purpose, **signed}
    body = f"{_form(words, FEEDBACK_PATH, fields, asked, 'say')}<p>{_text(words, 'silenced')}</p>"
    return _page(words, _text(words, "other" if asks_which else "wrong"), body)


def noted(words: Wording, by: str) -> str:
    """Return the page that thanks for feedback."""
    return _page(words, _text(words, "thanks", by), f"<p>{_text(words, 'noted')}</p>")


def thanks(words: Wording, ack: Ack) -> str:
    """Return the page that is shown after an acknowledgement."""
    return _page(words, _text(words, "seen_by", ack.by), f"<p>{_text(words, 'stopped')}</p>")


def trouble(words: Wording, page: Page) -> str:
    """Return the page for a problem with a form."""
    return _page(words, _text(words, page), "")


def refusal(words: Wording, error: AckRefusedError) -> str:
    """Return the page for a link that is invalid or has expired."""
    return trouble(words, "expired" if error.expired else "invalid")


def _text(words: Wording, page: Page, by: str = "") -> str:
    return escape(fill(words.pages[page], by=by))


def _form(words: Wording, path: str, fields: Mapping[str, str], asked: str, button: Page) -> str:
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(text)}">' for name, text in fields.items())
    name = f'<label>{_text(words, "name")} <input name="by" maxlength="80" autofocus required></label>'
    return f'<form method="post" action="{path}">{hidden}{asked}{name} <button>{_text(words, button)}</button></form>'


def _field(words: Wording, page: Page, name: str, most: int) -> str:
    return f'<p><label>{_text(words, page)} <input name="{name}" maxlength="{most}"></label></p>'


def _page(words: Wording, title: str, body: str) -> str:
    direction = Locale.parse(words.locale).text_direction
    return (
        f'<!doctype html><html lang="{words.language}" dir="{direction}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<title>Summitry</title><body style="font:16px system-ui;margin:3rem auto;max-width:30rem">'
        f"<h1>{title}</h1>{body}"
    )

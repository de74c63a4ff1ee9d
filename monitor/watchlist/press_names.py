"""Finds how the press of a language writes a leader's name, from the roster's aliases."""

from __future__ import annotations

import unicodedata
from functools import cache

from monitor.watchlist.load import bundled
from monitor.watchlist.roster import Alias, Leader


@cache
def press_name(leader: str, language: str) -> str:
    """Return a leader's name in a language: `Wladimir Putin` in German, `普京` in Chinese; '' for an unknown leader.

    The roster lists the usual form first, and inflected ones after it. For some languages it lists only genitives,
    because the usual form is the English one: these are skipped.
    """
    known = bundled().leaders.get(leader)
    if known is None:
        return ""
    if language == "en":
        return known.name
    return next((alias.text for alias in known.aliases if _usual(alias, language, known)), known.name)


@cache
def short_press_name(leader: str, language: str) -> str:
    """Return the name that headlines of a language use for a leader: `Poutine` in French, `Путин` in Russian.

    If the language writes it like English, or the roster does not have it, this is the English surname, or the whole
    name if a surname would be wrong; '' for an unknown leader.
    """
    known = bundled().leaders.get(leader)
    if known is None:
        return ""
    shorts = [alias for alias in known.aliases if alias.strength != "full" or " " not in alias.text]
    own = next((alias.text for alias in shorts if _short(alias, language, known)), "")
    whole = press_name(leader, language)
    english = [alias.text for alias in known.aliases if alias.language == "en" and alias.text != known.name]
    first = next((text for text in english if text in known.name), "")
    if own and first and known.name.startswith(first) and not whole.startswith(own):
        return whole  # the surname is first, and the roster's short form is the given name
    # The whole name is better than a surname in another script, or one that the language writes differently.
    return own or next((text for text in english if text in whole and text != whole), whole)


def _short(alias: Alias, language: str, known: Leader) -> bool:
    if alias.language != language or _genitive(alias.text, known):
        return False
    return not alias.text[:1].islower() or known.name.endswith(alias.text)


def _usual(alias: Alias, language: str, known: Leader) -> bool:
    if alias.language != language or alias.text[:1].islower():
        return False
    if not alias.text[:1].isupper():
        return True  # a script without capitals, in which the press writes the short form first
    # In scripts with capitals, a whole name has several words.
    return " " in alias.text and not _genitive(alias.text, known)


def _genitive(text: str, known: Leader) -> bool:
    """Say whether the text is another spelling of the name with a genitive `s`: `Kim Jong Uns`."""
    if not text.endswith("s"):
        return False
    bare = {_folded(name) for name in (known.name, *(alias.text for alias in known.aliases))}
    return _folded(text[:-1]) in bare or _folded(text.rsplit(maxsplit=1)[-1][:-1]) in bare


def _folded(text: str) -> str:
    """Return the text without accents, hyphens and capitals."""
    plain = unicodedata.normalize("NFD", text.replace("-", " ").casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))

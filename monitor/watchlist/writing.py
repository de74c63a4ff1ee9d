"""A leader's name as the press of a language writes it, from the roster's aliases."""

from __future__ import annotations

import unicodedata
from functools import cache

from monitor.watchlist.load import bundled
from monitor.watchlist.roster import Alias, Leader


@cache
def written(leader: str, language: str) -> str:
    """Return a leader's name in a language: `Wladimir Putin` in German, `普京` in Chinese; '' for one nobody knows.

    The roster lists the usual form first and inflected ones after it. Some languages list genitives only, since their
    usual form is the English one: those are passed over.
    """
    known = bundled().leaders.get(leader)
    if known is None:
        return ""
    if language == "en":
        return known.name
    return next((alias.text for alias in known.aliases if _usual(alias, language, known)), known.name)


@cache
def written_short(leader: str, language: str) -> str:
    """Return the name by which headlines of a language call a leader: `Poutine` in French, `Путин` in Russian.

    Where the language writes it as English does, or the roster does not say, it is the English surname; '' for a leader
    nobody knows.
    """
    known = bundled().leaders.get(leader)
    if known is None:
        return ""
    shorts = [alias for alias in known.aliases if alias.strength != "full" or " " not in alias.text]
    own = next((alias.text for alias in shorts if _short(alias, language, known)), "")
    english = next((alias.text for alias in shorts if alias.language == "en" and alias.text in known.name), "")
    whole = written(leader, language)
    # The whole name is better than one in another script than the language's.
    return own or (english if unicodedata.name(whole[:1]).startswith("LATIN") else whole)


def _short(alias: Alias, language: str, known: Leader) -> bool:
    if alias.language != language or _genitive(alias.text, known):
        return False
    return not alias.text[:1].islower() or known.name.endswith(alias.text)


def _usual(alias: Alias, language: str, known: Leader) -> bool:
    if alias.language != language or alias.text[:1].islower():
        return False
    if not alias.text[:1].isupper():
        return True  # a script without capitals, in which the press writes the short form first
    # In scripts with capitals the whole name has several words.
    return " " in alias.text and not _genitive(alias.text, known)


def _genitive(text: str, known: Leader) -> bool:
    """Say whether the text is another spelling of the name with a genitive's `s`: `Kim Jong Uns`."""
    if not text.endswith("s"):
        return False
    bare = {_folded(name) for name in (known.name, *(alias.text for alias in known.aliases))}
    return _folded(text[:-1]) in bare or _folded(text.rsplit(maxsplit=1)[-1][:-1]) in bare


def _folded(text: str) -> str:
    """Return the text without accents, hyphens and capitals."""
    plain = unicodedata.normalize("NFD", text.replace("-", " ").casefold())
    return "".join(char for char in plain if not unicodedata.combining(char))

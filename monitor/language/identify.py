"""Which language a text is in: by its script where that settles it, else by py3langid's model among what news comes in.

The model (Lui and Baldwin 2012, as py3langid) takes half a second to load and is loaded at the first text that
needs it. It is unsure of short headlines made of names, so plain letters A to Z are taken for the default language
unless the model is sure of another one.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from monitor.language import model_file

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

DEFAULT = "en"
#: Code points that are looked at: enough for the model, and a bound for long texts.
_ENOUGH = 600
#: How sure the model must be to take letters A to Z for another language than the default.
_SURE = 0.6
#: How sure it must be that Cyrillic letters without a letter that tells are not Russian.
_SURE_OF_CYRILLIC = 0.9
#: What news in Latin and Cyrillic letters comes in, whether there is a language file or not: a text must not be taken
#: for a language that it isn't because its own is missing.
_NEWS = (
    "en", "es", "fr", "de", "pt", "it", "tr", "nl", "pl", "cs", "ro", "hu", "sv", "fi", "id", "vi", "hr", "az",
    "ru", "uk", "be", "bg", "kk",
)  # fmt: skip
#: Scripts that in news stand for one language, with how many Latin letters one of their letters weighs.
_SCRIPTS: tuple[tuple[str, re.Pattern[str], int], ...] = (
    ("ko", re.compile("[\uac00-\ud7af]+"), 3),
    ("zh", re.compile("[\u3400-\u4dbf\u4e00-\u9fff]+"), 3),
    ("ar", re.compile("[\u0620-\u06d3]+"), 1),
    ("hi", re.compile("[\u0900-\u097f]+"), 1),
    ("he", re.compile("[\u05d0-\u05ea]+"), 1),
    ("el", re.compile("[\u03b1-\u03c9]+"), 1),
    ("th", re.compile("[\u0e01-\u0e2e]+"), 1),
    ("ka", re.compile("[\u10d0-\u10f0]+"), 1),
    ("hy", re.compile("[\u0561-\u0587]+"), 1),
    ("bn", re.compile("[\u0980-\u09ff]+"), 1),
    ("ta", re.compile("[\u0b80-\u0bff]+"), 1),
)
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]+")
_PERSIAN = re.compile("[پچژگی]")
_CYRILLIC = re.compile("[\u0400-\u04ff]+")
_UKRAINIAN, _RUSSIAN = re.compile("[іїєґ]"), re.compile("[ыэъё]")
_LATIN = re.compile("[a-z\u00df-\u024f]+")
_FOREIGN = re.compile(r"[^\W\d_a-zA-Z]")
_FUNCTION_WORDS = re.compile(
    r"(?<!\w)(?:the|of|and|with|for|says?|said|will|after|to|by|from|over|his|at|meets?|talks|visit|calls?|is|are)(?!\w)"
)


def identify(text: str, default: str = DEFAULT) -> str:
    """The BCP 47 primary tag of the text's language, `default` where nothing settles it. Deterministic."""
    folded = text[:_ENOUGH].replace("\u0130", "i").lower()
    if folded.isascii() or not _FOREIGN.search(folded):
        if default == DEFAULT and next(islice(_FUNCTION_WORDS.finditer(folded), 1, None), None):
            return default
        code, sure = _model().classify(folded)
        return str(code) if sure >= _SURE and not _FUNCTION_WORDS.search(folded) else default
    latin = _count(_LATIN, folded)
    if _count(_CYRILLIC, folded) > latin:
        if _RUSSIAN.search(folded) and not _UKRAINIAN.search(folded):
            return "ru"
        code, sure = _model().classify(folded)
        return str(code) if sure >= _SURE_OF_CYRILLIC or _UKRAINIAN.search(folded) else "ru"
    for code, pattern, weight in _SCRIPTS:
        if _count(pattern, folded) * weight > latin:
            if code == "ar":
                return "fa" if _PERSIAN.search(text[:_ENOUGH]) else code
            return "ja" if code == "zh" and _KANA.search(folded) else code
    if _count(_KANA, folded) * 3 > latin:
        return "ja"
    return str(_model().classify(folded)[0])


def _count(letters: re.Pattern[str], text: str) -> int:
    """How many letters there are, by an expression for runs of them."""
    return sum(map(len, letters.findall(text)))


@cache
def _model() -> LanguageIdentifier:
    return model_file.load(_NEWS)

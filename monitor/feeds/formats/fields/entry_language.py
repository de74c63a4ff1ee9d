"""Decide the language of an entry: the declared one, unless the text shows that it is wrong.

Many feeds say `en-US` only because that is the default of the site's software. So the language is identified from the
text when its script contradicts the declared language, or when feed and subscription name different languages.
"""

from __future__ import annotations

import re
from string import ascii_letters

#: Languages that are not, or not only, written in Latin script.
_OTHER_SCRIPTS = frozenset(
    {"ar", "am", "be", "bg", "bn", "el", "fa", "gu", "he", "hi", "hy", "ja", "ka", "kk", "km", "kn", "ko", "ky", "lo",
     "mk", "ml", "mn", "mr", "my", "ne", "pa", "ps", "ru", "si", "sr", "ta", "te", "tg", "th", "ug", "uk", "ur", "yi",
     "zh"}
)  # fmt: skip
#: With fewer letters than this the declared language is taken.
_ENOUGH = 6
_NO_LETTERS = bytes(set(range(128)) - set(ascii_letters.encode()))
_ASCII = re.compile("[\x00-\x7f]+")
_OTHERS = re.compile(r"[\W\d_]+")
_BEYOND_LATIN = re.compile("[\u0250-\U0010ffff]+")


def decide(text: str, declared: str, configured: str) -> str:
    """Return the BCP 47 tag of an entry's language.

    `declared` is the language that the entry or feed names, `configured` that of the subscription, '' for none. Returns
    '' when there is neither and the text is too short to tell.
    """
    count, latin = _letters(text[:400])
    if count < _ENOUGH:
        return declared or configured
    claims = [claim for claim in (declared, configured) if claim and _fits(_primary(claim), latin / count)]
    if claims and len({_primary(claim) for claim in claims}) == 1:
        return claims[0]
    from monitor.language.identify import identify  # noqa: PLC0415  # slow to import and seldom needed

    found = identify(text)
    return found if not claims or found in {_primary(claim) for claim in claims} else _primary(claims[-1])


def _letters(text: str) -> tuple[int, int]:
    """Count the letters of a text, and the Latin ones among them."""
    plain = len(text.encode("ascii", "ignore").translate(None, _NO_LETTERS))
    if text.isascii():
        return plain, plain
    others = _OTHERS.sub("", _ASCII.sub("", text))
    return plain + len(others), plain + len(_BEYOND_LATIN.sub("", others))


def _primary(tag: str) -> str:
    return tag.partition("-")[0]


def _fits(language: str, latin: float) -> bool:
    """Tell whether a text with this share of Latin letters can be in the language. Some foreign names are allowed."""
    return latin < 0.8 or language in {"kk", "sr", "mn"} if language in _OTHER_SCRIPTS else latin > 0.4

"""Test how the forum of a contact is found."""

from __future__ import annotations

import pytest

from monitor.detect.text.normal import normalise
from monitor.detect.vocabulary.language import bundled_languages

FORUMS = [
    # text, forum, on its sidelines
    ("They met on the sidelines of the SCO summit in Tianjin", "SCO", True),
    ("They met on the margins of the UN General Assembly", "UNGA", True),
    ("They met at the G20 summit", "G20", False),
    ("They met at APEC", "APEC", False),
    ("BRICS leaders' virtual summit", "BRICS", False),
    ("The leaders attend the NATO summit", "NATO", False),
    ("Talks at COP30 in Belem", "COP", False),
    ("An EU summit in Brussels", "EU", False),
    ("The European Council meeting on Thursday", "European Council", False),
    ("They spoke at the Munich Security Conference", "MSC", False),
    ("They spoke at the World Economic Forum", "Davos", False),
    ("They met at the East Asia Summit", "EAS", False),
    ("The CSTO summit in Yerevan", "CSTO", False),
    ("A meeting of the Gulf Cooperation Council summit", "GCC", False),
    ("The African Union summit opens", "African Union", False),
    ("The Organization of Turkic States summit", "OTS", False),
    ("They met on the sidelines of G7", "G7", True),
    ("they met at the sco summit", "SCO", False),
    ("They met on the sidelines of the Asean summit", "ASEAN", True),
    ("They met at Cop30", "COP", False),
    ("ru: Лидеры встретились на полях саммита ШОС", "SCO", True),
    ("ru: Лидеры встретились на саммите БРИКС", "BRICS", False),
    ("zh: 在上海合作组织峰会期间会见", "SCO", True),
]

BODIES = [
    "The NATO chief said so",
    "G20 countries agreed",
    "EU sanctions hit trade",
    "UN experts warn",
    "NATO members spend more",
    "BRICS nations grow",
    "The quad bike race",
    "A Kim Jong Un Meeting is unlikely",
    "He, along with other EU leaders, talks to the president",
    "A Cop was hurt at the meeting",
    "",
]


class TestForums:
    @pytest.mark.parametrize(("text", "forum", "sidelines"), FORUMS)
    def test_a_gathering(self, text, forum, sidelines):
        code, _, said = text.rpartition(": ")
        hits = bundled_languages()[code or "en"].forums.find(normalise(said).text)
        assert [(hit.forum, hit.sidelines) for hit in hits] == [(forum, sidelines)]

    @pytest.mark.parametrize("text", BODIES)
    def test_a_body_is_no_gathering(self, text):
        assert bundled_languages()["en"].forums.find(text) == ()

    def test_words_of_another_language_are_none(self):
        assert bundled_languages()["en"].forums.find("Лидеры встретились на полях саммита ШОС") == ()
        assert bundled_languages()["pl"].forums.find("They met at the G20 summit") == ()

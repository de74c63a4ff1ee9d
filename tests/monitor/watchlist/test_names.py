"""Test how names are written and compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.watchlist.names import is_slug, plain, slug, spellings, strength_of, surname

WEAK = frozenset({"xi", "may", "konaté", "store"})


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("Recep Tayyip Erdoğan", "recep-tayyip-erdogan"),
        ("Luiz Inácio Lula da Silva", "luiz-inacio-lula-da-silva"),
        ("Aleksandar Vučić", "aleksandar-vucic"),
        ("Nguyễn Phú Trọng", "nguyen-phu-trong"),
        ("Milo Đukanović", "milo-dukanovic"),
        ("Lars Løkke Rasmussen", "lars-lokke-rasmussen"),
        ("Ali Yıldırım", "ali-yildirim"),
        ("Peter O'Neill", "peter-oneill"),
        ("Ferdinand Marcos Jr.", "ferdinand-marcos-jr"),
        ("ʻAkilisi Pōhiva", "akilisi-pohiva"),
        ("Guðni Jóhannesson", "gudni-johannesson"),
        ("习近平", ""),
    ],
)
def test_an_id_is_the_plain_name(name: str, identifier: str) -> None:
    assert slug(name) == identifier


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("Vladimir Putin", "Putin"),
        ("Ursula von der Leyen", "von der Leyen"),
        ("Mohammed bin Salman", "bin Salman"),
        ("Abdel Fattah el-Sisi", "el-Sisi"),
        ("Ferdinand Marcos Jr.", "Marcos"),
        ("Benigno Aquino III", "Aquino"),
        ("Herman Van Rompuy", "Van Rompuy"),
        ("Lula", "Lula"),
        ("Mohammed VI", "Mohammed VI"),
        ("Charles III", "Charles III"),
        ("De Gaulle", "Gaulle"),
        ("Philippe of Belgium", "Philippe of Belgium"),
    ],
)
def test_the_surname_keeps_its_particles(name: str, family: str) -> None:
    assert surname(name) == family


@pytest.mark.parametrize(
    ("text", "strength"),
    [
        ("Vladimir Putin", "full"),
        ("Putin", "surname"),
        ("Xi", "weak"),
        ("May", "weak"),
        ("Konaté", "weak"),
        ("Hu", "weak"),
        ("Store", "weak"),
        ("Støre", "surname"),
        ("习近平", "full"),
        ("普京", "surname"),
        ("弗拉基米尔·普京", "full"),
        ("Путин", "surname"),
        ("Си Цзиньпин", "full"),
    ],
)
def test_how_much_an_alias_says(text: str, strength: str) -> None:
    assert strength_of(text, WEAK) == strength


def test_korean_given_names_are_written_three_ways() -> None:
    assert spellings("Lee Jae-myung") == ("Lee Jae Myung", "Lee Jae-Myung")
    assert spellings("Jean-Claude Juncker") == ()
    assert spellings("Viktor Orbán") == ("Viktor Orban",)


@given(st.text())
def test_plain_and_slug_take_any_text(text: str) -> None:
    made = slug(text)
    assert made == "" or is_slug(made)
    assert plain(plain(text)) == plain(text)
    assert slug(made) == made

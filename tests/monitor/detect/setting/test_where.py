"""Test how the place of a contact is found: names of places count only in a frame."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
import pytest

from monitor.detect import Detector, bundled_languages
from monitor.detect.datafile import read
from monitor.detect.setting.where import PlaceHit, PlaceNames, PlacesFile, best_place, place_names
from monitor.detect.text.normal import normalise
from monitor.errors import DataFileError
from monitor.records import Article, Place


def find_places(text: str, code: str = "") -> tuple[PlaceHit, ...]:
    """Find places with the words of the language that the text is written in."""
    script = next(
        (
            code
            for code, letter in (("zh", "[一-鿿]"), ("ru", "[а-я]"), ("es", "^Los "), ("fr", "^Les "))
            if re.search(letter, text)
        ),
        "en",
    )
    return bundled_languages()[code or script].places.find(text)


BEST = [
    # text, city or region, country
    ("They met in Samarkand", "Samarkand", "UZ"),
    ("They met in Sochi, Russia, on Monday", "Sochi", "RU"),
    ("They met in St. Petersburg's outskirts", "Saint Petersburg", "RU"),
    ("They met in Washington, D.C., on Monday", "Washington", "US"),
    ("They met at the White House", "Washington", "US"),
    ("They met in the Kremlin", "Moscow", "RU"),
    ("They met at the Kremlin", "Moscow", "RU"),
    ("They met at the Great Hall of the People", "Beijing", "CN"),
    ("They met at Mar-a-Lago", "Palm Beach", "US"),
    ("They met at Camp David", "Camp David", "US"),
    ("They dined at the Élysée Palace", "Paris", "FR"),
    ("They met at 10 Downing Street", "London", "GB"),
    ("They met at Hyderabad House", "New Delhi", "IN"),
    ("They met in Sharm el-Sheikh", "Sharm el-Sheikh", "EG"),
    ("They met in Busan", "Busan", "KR"),
    ("They met in Tianjin", "Tianjin", "CN"),
    ("They met in Kiev", "Kyiv", "UA"),
    ("They met in Kazan and parted", "Kazan", "RU"),
    ("They met in Nice", "Nice", "FR"),
    ("They met in Davos", "Davos", "CH"),
    ("They met in Panama City", "Panama City", "PA"),
    ("The Alaska summit is over", "Alaska", "US"),
    ("The Budapest summit was planned", "Budapest", "HU"),
    ("A White House meeting was planned", "Washington", "US"),
    ("He flew to Ankara", "Ankara", "TR"),
    ("He visited New Delhi", "New Delhi", "IN"),
    ("They met in China", "", "CN"),
    ("They met in the United Arab Emirates", "", "AE"),
    ("They met in the U.S. on Monday", "", "US"),
    ("He flew to Moscow and they met in Sochi", "Sochi", "RU"),
    ("They met in Germany, in Berlin", "Berlin", "DE"),
    ("They met in South Korea's Busan", "Busan", "KR"),
    ("They met in Delhi", "New Delhi", "IN"),
    ("Лидеры встретились в Самарканде", "Samarkand", "UZ"),
    ("Переговоры прошли в Кремле", "Moscow", "RU"),
    ("Президент прибыл в Алма-Ату", "Almaty", "KZ"),
    ("Лидеры встретились в Китае", "", "CN"),
    ("Лидеры встретились во Флориде", "Florida", "US"),
    ("两国领导人在北京举行会谈", "Beijing", "CN"),
    ("两国领导人在人民大会堂会面", "Beijing", "CN"),
    ("总统抵达莫斯科", "Moscow", "RU"),
    ("总统访问中国", "", "CN"),
    ("Los líderes se reunieron en Pekín", "Beijing", "CN"),
    ("Les dirigeants se sont rencontrés à Genève", "Geneva", "CH"),
    ("Die Staatschefs trafen sich in Moskau", "Moscow", "RU"),
    ("in st petersburg, the two leaders held a meeting", "Saint Petersburg", "RU"),
]

ACTORS = [
    "Moscow said that they would meet",
    "The Kremlin said that they would meet",
    "Beijing and Tokyo held talks",
    "The White House confirmed the call",
    "Ties to Russia are close",
    "China summit plans",
    "They met in March",
    "He is nice in person",
    "In nice weather they met",
    "A reading at home",
    "They discussed the conflict in Ukraine",
    "Они обсудили конфликт на Украине",
    "Москва и Пекин обсудили визит",
    "北京与莫斯科举行会谈",
    "They discussed the situation in the Gaza Strip",
    "They discussed the arrest of citizens in Baku",
    "No breakthrough in Kiev's favor",
]


class TestFrames:
    @pytest.mark.parametrize(("text", "name", "country"), BEST)
    def test_a_place_in_a_frame(self, text, name, country):
        place = best_place(find_places(normalise(text).text))
        assert place is not None
        assert (place.name, place.country) == (name, country)

    @pytest.mark.parametrize("text", ACTORS)
    def test_an_actor_or_a_word_is_no_place(self, text):
        assert find_places(text) == ()

    def test_two_places_of_one_frame(self):
        hits = find_places("in Paris and London")
        assert [(hit.place.name, hit.frame) for hit in hits] == [("Paris", "in"), ("London", "in")]

    def test_a_journey_is_a_weaker_frame(self):
        assert [hit.frame for hit in find_places("He flew to Ankara for talks in Istanbul")] == ["to", "in"]

    def test_spans(self):
        text = "They met at the White House in Washington"
        assert [text[hit.start : hit.end] for hit in find_places(text)] == ["the White House", "Washington"]

    @pytest.mark.parametrize(
        ("code", "text"), [("en", "He met Xi w Moscow"), ("en", "A di Berlin"), ("pl", "Xi at Berlin")]
    )
    def test_a_word_of_another_language_leads_nowhere(self, code, text):
        assert find_places(text, code) == ()

    def test_each_language_has_its_own_words(self):
        for code, text, place in (
            ("pl", "Spotkali się w Moscow", "Moscow"), ("de", "Sie trafen sich in Berlin", "Berlin"),
            ("id", "Mereka bertemu di Jakarta", "Jakarta"), ("fr", "Ils se sont vus à Paris", "Paris"),
            ("tr", "Erdoğan ile Aliyev Bakü'de görüştü", "Baku"), ("tr", "İki lider Abu Dabi'de görüştü", "Abu Dhabi"),
        ):  # fmt: skip
            assert [hit.place.name for hit in find_places(text, code)] == [place]

    def test_an_ending_makes_no_place_of_a_word(self):
        assert find_places("Pekin açıklama yaptı, zirve de sürüyor", "tr") == ()

    def test_nothing(self):
        assert find_places("") == ()
        assert best_place(()) is None


class TestData:
    def test_every_capital_and_the_diplomatic_towns_are_there(self):
        book = place_names()
        for name in (
            "Ulaanbaatar",
            "Montevideo",
            "Antananarivo",
            "Suva",
            "Nuuk",
            "Anchorage",
            "Elmau",
            "Cholpon-Ata",
            "Gyeongju",
        ):
            named = book.lookup(name)
            assert named is not None, name
            assert named.level == "city"
        assert sum(named.level == "city" for named in book.names.values()) >= 1_500

    def test_a_venue_needs_its_city(self):
        words = read("places.yaml", PlacesFile)
        broken = msgspec.structs.replace(words, venues={"Atlantis": ("the Palace",)})
        with pytest.raises(DataFileError, match="Atlantis"):
            PlaceNames(broken)

    def test_a_missing_file_and_a_wrong_one(self, tmp_path):
        with pytest.raises(DataFileError, match="cannot be read"):
            read("places.yaml", PlacesFile, folder=tmp_path)
        (tmp_path / "places.yaml").write_text("locative: 3\n")
        with pytest.raises(DataFileError, match="locative"):
            read("places.yaml", PlacesFile, folder=tmp_path)


def test_where_a_leader_spoke_from_is_the_only_place_that_a_call_has(detector: Detector) -> None:
    def place(text: str) -> Place | None:
        (mention,) = detector.detect(Article(id="1", title=text, published=datetime(2026, 2, 4, tzinfo=UTC)))
        return mention.place

    assert place("Speaking from Beijing, Xi Jinping held a video call with Vladimir Putin") == Place(
        name="Beijing", country="CN"
    )
    assert place("Xi Jinping and Vladimir Putin discussed the war in Ukraine in a video call") is None
    assert place("Vladimir Putin received Xi Jinping in Moscow") == Place(name="Moscow", country="RU")

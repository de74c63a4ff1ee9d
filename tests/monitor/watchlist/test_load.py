"""Test reading a user's watchlist file, and the message for each mistake."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from monitor.detect import Detector
from monitor.errors import ConfigError
from monitor.records import Article
from monitor.watchlist import Watchlist, bundled, load
from monitor.watchlist.files import day

HERE = Path(__file__).parent


def read(tmp_path: Path, text: str) -> Watchlist:
    path = tmp_path / "leaders.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path)


class TestRosterOf1987:
    people = load(HERE / "roster_1987.yaml")

    @pytest.mark.parametrize(
        ("country", "word", "on", "leader"),
        [
            ("US", "president", date(1987, 12, 8), "ronald-reagan"),
            ("US", "president", date(1989, 12, 3), "george-h-w-bush"),
            ("SU", "leader", date(1987, 12, 8), "mikhail-gorbachev"),
            ("SU", "general secretary", date(1987, 12, 8), "mikhail-gorbachev"),
            ("SU", "president", date(1990, 6, 1), "mikhail-gorbachev"),
            ("SU", "premier", date(1987, 12, 8), "nikolai-ryzhkov"),
            ("GB", "prime minister", date(1987, 6, 11), "margaret-thatcher"),
            ("DE", "chancellor", date(1987, 9, 7), "helmut-kohl"),
            ("DD", "leader", date(1987, 9, 7), "erich-honecker"),
            ("FR", "president", date(1987, 9, 7), "francois-mitterrand"),
            ("FR", "prime minister", date(1987, 9, 7), "jacques-chirac"),
            ("JP", "pm", date(1987, 1, 1), "yasuhiro-nakasone"),
            ("CN", "premier", date(1987, 1, 1), "zhao-ziyang"),
            ("JO", "king", date(1987, 1, 1), "hussein-of-jordan"),
        ],
    )
    def test_titles_mean_the_people_of_that_time(self, country: str, word: str, on: date, leader: str) -> None:
        found = self.people.holder_of_title(country, word, on)
        assert found is not None
        assert found.id == leader

    def test_nobody_of_today_is_in_it(self) -> None:
        assert "vladimir-putin" not in self.people.leaders
        assert self.people.holder_of_title("US", "president", date(2026, 1, 1)) is None

    def test_roles_come_from_the_words_of_the_titles(self) -> None:
        roles = {
            (office.country, office.title): office.role
            for leader in self.people.leaders.values()
            for office in leader.offices
        }
        assert roles["SU", "General Secretary of the Communist Party"] == "supreme_leader"
        assert roles["US", "Vice President"] == "other"
        assert roles["SU", "Foreign Minister"] == "other"
        assert roles["EU", "President of the European Commission"] == "body_head"
        assert roles["JO", "King"] == "head_of_state"

    def test_a_vice_president_is_not_the_president(self) -> None:
        assert [one.id for one in self.people.holders("US", "head_of_state", date(1987, 1, 1))] == ["ronald-reagan"]
        assert self.people.office_on("george-h-w-bush", date(1987, 1, 1)) is not None

    def test_surnames_are_inferred(self) -> None:
        aliases = {alias.text: alias.strength for alias in self.people.leaders["helmut-kohl"].aliases}
        assert aliases == {"Helmut Kohl": "full", "Kohl": "surname"}
        assert {a.text for a in self.people.leaders["francois-mitterrand"].aliases} >= {
            "Francois Mitterrand",
            "Mitterrand",
        }

    def test_the_namesakes_of_today_do_not_veto_the_leaders_of_then(self) -> None:
        assert "George H. W. Bush" in bundled().namesakes
        assert "George H. W. Bush" not in self.people.namesakes
        assert "Kim Il Sung" not in self.people.namesakes


class TestRosterOf2004:
    people = load(HERE / "roster_2004.yaml")

    def test_a_month_or_year_is_a_date(self) -> None:
        assert self.people.office_on("kofi-annan", date(1997, 1, 1)) is not None
        assert self.people.office_on("kofi-annan", date(2006, 12, 31)) is not None
        assert self.people.office_on("kofi-annan", date(2007, 1, 1)) is None
        assert self.people.office_on("hu-jintao", date(2003, 3, 1)) is not None

    def test_a_plain_leader_is_a_title(self) -> None:
        found = self.people.holder_of_title("KP", "leader", date(2004, 6, 1))
        assert found is not None
        assert found.id == "kim-jong-il"

    def test_spain_changes_hands_in_april(self) -> None:
        for on, leader in ((date(2004, 4, 1), "jose-maria-aznar"), (date(2004, 5, 1), "jose-luis-rodriguez-zapatero")):
            found = self.people.holder_of_title("ES", "prime minister", on)
            assert found is not None
            assert found.id == leader

    def test_common_surnames_are_weak_without_being_told(self) -> None:
        strengths = {alias.text: alias.strength for one in self.people.leaders.values() for alias in one.aliases}
        assert strengths["Hu"] == strengths["Kim"] == strengths["Singh"] == "weak"
        assert strengths["Blair"] == strengths["Bush"] == strengths["Musharraf"] == "surname"


class TestOnTopOfTheBundled:
    def test_own_leaders_are_added(self, tmp_path: Path) -> None:
        people = read(
            tmp_path, "include: [bundled]\nleaders: [{name: Ann Example, offices: [{title: Mayor, country: US}]}]"
        )
        assert people.leaders.keys() == bundled().leaders.keys() | {"ann-example"}

    def test_an_own_entry_replaces_the_bundled_one(self, tmp_path: Path) -> None:
        people = read(tmp_path, "include: [bundled]\nleaders: [{name: Vladimir Putin, aliases: {en: [VVP]}}]")
        assert {alias.text for alias in people.leaders["vladimir-putin"].aliases} >= {"VVP", "Vladimir Putin"}
        assert people.leaders["vladimir-putin"].offices == ()

    def test_a_watch_narrows(self, tmp_path: Path) -> None:
        people = read(
            tmp_path,
            "include: [bundled]\n"
            "watch: {pairs: [[vladimir-putin, xi-jinping]], countries: [UA], leaders: [keir-starmer]}",
        )
        assert people.tracks(["xi-jinping", "vladimir-putin"])
        assert not people.tracks(["xi-jinping", "narendra-modi"])
        assert people.tracks(["volodymyr-zelensky", "narendra-modi"])
        assert people.tracks(["keir-starmer", "narendra-modi"])

    def test_a_watch_takes_any_name(self, tmp_path: Path) -> None:
        people = read(
            tmp_path, "include: [bundled]\nwatch: {pairs: [[Путин, xi]], countries: [UK, Russia], leaders: [trump]}"
        )
        assert people.watch.leaders == {"donald-trump"}
        assert people.watch.pairs == {frozenset({"vladimir-putin", "xi-jinping"})}
        assert people.watch.countries == {"GB", "RU"}

    def test_the_bundled_watches_everybody(self) -> None:
        assert bundled().tracks(["anyone"])


class TestForms:
    def test_only_a_name_is_needed(self, tmp_path: Path) -> None:
        people = read(tmp_path, "leaders: [{name: Jan Pavel Novák}]")
        leader = people.leaders["jan-pavel-novak"]
        assert [alias.text for alias in leader.aliases] == ["Jan Pavel Novák", "Novák", "Jan Pavel Novak", "Novak"]

    def test_chinese_names_begin_with_the_surname(self, tmp_path: Path) -> None:
        people = read(tmp_path, "leaders: [{name: Deng Xiaoping, offices: [{title: Chairman, country: CN}]}]")
        assert [alias.text for alias in people.leaders["deng-xiaoping"].aliases] == ["Deng Xiaoping", "Deng"]

    def test_norway_is_not_false(self, tmp_path: Path) -> None:
        people = read(
            tmp_path, "leaders: [{name: A Person, offices: [{title: Prime Minister, country: NO, from: 2001}]}]"
        )
        assert people.leaders["a-person"].offices[0].country == "NO"

    def test_the_strength_of_an_alias_may_be_said(self, tmp_path: Path) -> None:
        people = read(
            tmp_path,
            "leaders: [{name: Kim Young, aliases: {en: [{text: Kim, strength: surname}, {text: KY, strength: full}]}}]",
        )
        strengths = {alias.text: alias.strength for alias in people.leaders["kim-young"].aliases}
        assert strengths["Kim"] == "surname"
        assert strengths["KY"] == "full"

    def test_one_alias_needs_no_brackets(self, tmp_path: Path) -> None:
        people = read(tmp_path, "leaders: [{name: Ann Example, aliases: {de: Anna Beispiel}}]")
        assert "Anna Beispiel" in {alias.text for alias in people.leaders["ann-example"].aliases}

    @pytest.mark.parametrize("end", ["", "null", "~", "present", "now"])
    def test_an_open_end_may_be_written(self, tmp_path: Path, end: str) -> None:
        people = read(
            tmp_path, f"leaders:\n- name: Ann Example\n  offices:\n  - title: President\n    country: US\n    to: {end}"
        )
        assert people.leaders["ann-example"].offices[0].to is None

    def test_a_surname_of_two_who_serve_together_is_weak_for_both(self, tmp_path: Path) -> None:
        people = read(
            tmp_path,
            """
leaders:
  - {name: Ann Exeter, offices: [{title: President, country: US, from: 2001, to: 2005}]}
  - {name: Bob Exeter, offices: [{title: President, country: FR, from: 2003, to: 2009}]}
  - {name: Cid Exeter, offices: [{title: President, country: FR, from: 2010, to: 2011}]}
""",
        )
        strength = {
            one.id: alias.strength for one in people.leaders.values() for alias in one.aliases if alias.text == "Exeter"
        }
        assert strength == {"ann-exeter": "weak", "bob-exeter": "weak", "cid-exeter": "surname"}

    def test_vetoes_of_a_leader_are_namesakes(self, tmp_path: Path) -> None:
        people = read(tmp_path, "leaders: [{name: Ann Example, vetoes: [Bob Example]}]")
        assert "Bob Example" in people.namesakes


def test_the_example_of_the_documentation_is_right(tmp_path: Path) -> None:
    page = (HERE.parents[2] / "docs" / "watchlist.md").read_text(encoding="utf-8")
    people = read(tmp_path, page.split("```yaml\n")[1].split("```")[0])
    found = people.holder_of_title("SU", "leader", date(1987, 12, 8))
    assert found is not None
    assert found.id == "mikhail-gorbachev"
    assert "Raisa Gorbachev" in people.namesakes
    assert not people.tracks(["emmanuel-macron", "friedrich-merz"])


OFFICE = "leaders: [{name: Ann Example, offices: [{title: President, country: US, %s}]}]"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a mapping"),
        ("[]", "expected a mapping"),
        ("leaders: []", "leaders: there is nobody to watch; list leaders, or add `include: [bundled]`"),
        ("leaders: [{name: A", "not valid YAML: did not find expected ',' or '}'; mend the line"),
        ("leaders: [{name: A B}]\nleaders: []", "line 2: not valid YAML: `leaders` is given twice"),
        ("leeders: []", "unknown key `leeders`; did you mean `leaders`?"),
        ("include: [everybody]", "include[0]: unknown roster `everybody`; one of `bundled`, `foreign-ministers`"),
        ("include: bundled", "include: expected a list, got text"),
        ("leaders: [{id: ann}]", "leaders[0]: `name` is missing"),
        ("leaders: [{name: ''}]", "leaders[0].name: is empty"),
        (
            "leaders: [{name: Ann, alias: {en: [A]}}]",
            "leaders[0]: unknown key `alias` (in Ann); did you mean `aliases`?",
        ),
        ("leaders: [{name: Ann, aliases: [A]}]", "leaders[0].aliases: expected a mapping, got a list (in Ann)"),
        ("leaders: [{name: Ann, aliases: {en: ['']}}]", "leaders[0].aliases.en[0]: is empty (in Ann)"),
        (
            "leaders: [{name: Ann, aliases: {en: [{text: A, strength: strong}]}}]",
            "strength: `strong` is none of the words allowed here (in Ann); one of full, surname, weak",
        ),
        ("leaders: [{name: Ann, id: Ann_B}]", "leaders[0].id: `Ann_B` is no id (in Ann)"),
        ("leaders: [{name: 习近平}]", "leaders[0].id: `` is no id (in 习近平); small ASCII letters"),
        (
            "leaders: [{name: Ann, wikidata: 7747}]",
            "leaders[0].wikidata: `7747` is no Wikidata id (in Ann); such as Q7747",
        ),
        ("leaders: [{name: Ann}, {name: Ann}]", "leaders[1].id: `ann` is there already"),
        (
            "leaders: [{name: Ann, gender: x}]",
            "leaders[0].gender: `x` is none of the words allowed here (in Ann); one of m, f",
        ),
        (OFFICE % "from: yesterday", "leaders[0].offices[0].from: `yesterday` is not a date"),
        (OFFICE % "from: 2001-13", "leaders[0].offices[0].from: `2001-13` is not a date: there is no such month"),
        (OFFICE % "from: 2001-02-30", "leaders[0].offices[0].from: `2001-02-30` is not a date: the month has 28 days"),
        (
            OFFICE % "from: 2005, to: 2001",
            "leaders[0].offices[0].to: ends on 2001-12-31, before it begins on 2005-01-01",
        ),
        (OFFICE % "form: 2005", "leaders[0].offices[0]: unknown key `form` (in Ann Example); did you mean `from`?"),
        (OFFICE % "role: boss", "`boss` is none of the words allowed here (in Ann Example); one of head_of_state, "),
        (OFFICE.replace("US", "UK") % "from: 2005", "offices[0].country: unknown code `UK` (in Ann Example); write GB"),
        (OFFICE.replace("US", "Russia") % "from: 2005", "unknown code `Russia` (in Ann Example); write RU"),
        (OFFICE.replace("US", "us") % "from: 2005", "unknown code `us` (in Ann Example); write US"),
        (OFFICE.replace("US", "QQ") % "from: 2005", "unknown code `QQ` (in Ann Example); an ISO 3166 alpha-2 code"),
        (OFFICE.replace("President", "''") % "from: 2005", "leaders[0].offices[0].title: is empty"),
        (
            "include: [bundled]\nwatch: {leaders: [vladimir-puttin]}",
            "watch.leaders[0]: 'vladimir-puttin' is not a leader of the watchlist; did you mean vladimir-putin?",
        ),
        ("include: [bundled]\nwatch: {pairs: [[xi-jinping]]}", "watch.pairs[0]: a pair is two different leaders"),
        (
            "include: [bundled]\nwatch: {leaders: [Russia]}",
            "'Russia' is a state or body, not a leader: name RU as a country",
        ),
        (
            "include: [bundled]\nwatch: {countries: [Atlantis]}",
            "watch.countries[0]: 'Atlantis' is neither a state nor a body",
        ),
        ("include: [bundled]\nwatch: {leader: [xi-jinping]}", "watch: unknown key `leader`; did you mean `leaders`?"),
        ("leaders: &a [*a]", "leaders"),
    ],
)
def test_a_mistake_is_one_line_with_file_key_problem_and_fix(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    line = str(caught.value)
    assert said in line
    assert line.startswith(f"{tmp_path / 'leaders.yaml'}: ")
    assert "\n" not in line


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing.yaml: can't be read \(No such file or directory\); check the path"):
        load(tmp_path / "nothing.yaml")


@pytest.mark.parametrize(
    "bytes_", [b"\xff\xfe\x00", b"\x00", b"leaders: [{name: \xc3\x28}]", b"[" * 5000, b"!!python/name:os.system"]
)
def test_hostile_bytes_are_a_clear_error(tmp_path: Path, bytes_: bytes) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(bytes_)
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        load(path)


@pytest.mark.parametrize(
    ("text", "end", "expected"),
    [
        ("2004-05-06", False, date(2004, 5, 6)),
        ("2004-2", True, date(2004, 2, 29)),
        ("2004", False, date(2004, 1, 1)),
        ("2004", True, date(2004, 12, 31)),
        ("2004-05-06T10:00:00Z", False, date(2004, 5, 6)),
        ("now", True, None),
        (None, True, None),
    ],
)
def test_days_months_and_years(text: str | None, end: bool, expected: date | None) -> None:
    assert day(text, end=end) == expected


OWN_BODY = """
include: [bundled, foreign-ministers]
bodies:
  IOC: {names: [International Olympic Committee, IOC], capital: Lausanne, phrases: {IOC president: President}}
leaders:
  - name: Kirsty Coventry
    offices: [{title: President, country: IOC, from: 2025-06-23}]
"""


@pytest.mark.slow
def test_a_body_of_ones_own(tmp_path: Path) -> None:
    people = read(tmp_path, OWN_BODY)
    (office,) = people.leaders["kirsty-coventry"].offices
    assert (office.role, people.states["IOC"].name) == ("body_head", "International Olympic Committee")
    detector = Detector(people)
    day = datetime(2025, 9, 24, tzinfo=UTC)
    (mention,) = detector.detect(Article(id="1", title="IOC president meets Macron", published=day, language="en"))
    assert mention.key == "emmanuel-macron+kirsty-coventry"


@pytest.mark.parametrize(
    ("code", "said"), [("NATO", "is a code of the bundled roster"), ("ioc", "three to six capital letters")]
)
def test_a_body_needs_a_code_of_its_own(tmp_path: Path, code: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read(tmp_path, f"include: [bundled]\nbodies: {{{code}: {{names: [Some Body]}}}}")


@pytest.mark.slow
def test_foreign_ministers_are_a_tier_of_their_own(tmp_path: Path) -> None:
    day = datetime(2025, 9, 24, tzinfo=UTC)
    titles = ["Rubio meets Lavrov", "Chinese Foreign Minister Wang Yi held talks with Russian Foreign Minister Lavrov"]
    without = Detector(read(tmp_path, "include: [bundled]"))
    people = read(tmp_path, "include: [bundled, foreign-ministers]")
    tier = Detector(people)
    for title in titles:
        article = Article(id="1", title=title, published=day, language="en")
        assert without.detect(article) == ()
        assert len(tier.detect(article)) == 1
    known = {office.country for office in people.leaders["liz-truss"].offices}
    assert known == {"GB"}
    assert len(people.leaders["liz-truss"].offices) == 2

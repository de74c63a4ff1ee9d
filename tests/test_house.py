"""Test the house rules: allowed imports, sizes of packages and modules, unique names, docstring forms."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import get_args

import yaml

from monitor.detect.vocabulary.frame_shapes import BUILT_IN, ItemClass

ROOT = Path(__file__).parents[1]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
MAX_MODULES = 12
#: Commands are named after what they command, and each runnable package has its own `__main__`.
NAMED_AFTER_THEIR_SUBJECT = ("agents/cli/",)


@cache
def modules() -> dict[str, Path]:
    """Every module of the project by its dotted name."""
    found = {}
    for path in [*(ROOT / "monitor").rglob("*.py"), *(ROOT / "agents").rglob("*.py")]:
        found[".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")] = path
    return found


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


Statement = ast.Import | ast.ImportFrom | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def statements(module: str) -> tuple[Statement, ...]:
    """Imports, classes and functions at whatever depth. They are statements, so expressions need no look."""
    found: list[Statement] = []
    waiting: list[ast.AST] = [tree(module)]
    while waiting:
        node = waiting.pop()
        for block in ("body", "handlers", "cases", "orelse", "finalbody"):
            waiting += getattr(node, block, ())
        if isinstance(node, Statement):
            found.append(node)
    return tuple(found)


@cache
def levels() -> dict[str, int]:
    """The rooms of docs/architecture.md with their floor; 0 is the topmost."""
    block = re.search(r"```rooms\n(.*?)```", ARCHITECTURE, re.DOTALL)
    assert block, "docs/architecture.md has lost its list of rooms"
    return {room.strip(): floor for floor, line in enumerate(block[1].splitlines()) for room in line.split(",")}


@cache
def room_of(module: str) -> str:
    """The narrowest room of the list that a module lies in."""
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        if (room := ".".join(parts[:length])) in levels():
            return room
    return ""


def imports(module: str) -> set[str]:
    """The project's own modules that a module imports, at whatever place in its code."""
    found: set[str] = set()
    for node in statements(module):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"monitor", "agents"}:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found.add(full if full in modules() else node.module or "")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] in {"monitor", "agents"}}
    return found - {"monitor", "agents"}


def test_a_module_imports_only_from_rooms_below_its_own() -> None:
    floors = levels()
    rooms = {module: room_of(module) for module in modules()}
    del rooms["monitor"], rooms["agents"]
    assert [module for module, room in rooms.items() if not room] == [], "in no room of docs/architecture.md"
    upward = {
        f"{module} imports {other} from above"
        for module, here in rooms.items()
        for other in imports(module)
        if room_of(other) != here and floors[room_of(other)] <= floors[here]
    }
    assert upward == set()


def test_the_core_imports_no_stream_library() -> None:
    found = {
        f"{module} imports {name}"
        for module in modules()
        for node in statements(module)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
        if module.split(".")[0] == "monitor" and name.split(".")[0] in {"faust", "mode", "tests"}
    }
    assert found == set()


def test_each_room_of_the_picture_is_there() -> None:
    assert {room for room in levels() if not any(m == room or m.startswith(room + ".") for m in modules())} == set()


def test_a_folder_has_at_most_twelve_modules() -> None:
    count = Counter(path.parent.relative_to(ROOT) for path in modules().values() if path.name != "__init__.py")
    assert {str(folder): number for folder, number in count.items() if number > MAX_MODULES} == {}


def test_no_module_name_stands_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in modules().values():
        where = str(path.relative_to(ROOT))
        if path.stem not in {"__init__", "__main__"} and not where.startswith(NAMED_AFTER_THEIR_SUBJECT):
            places[path.stem].append(where)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_class_name_stands_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules():
        for node in tree(module).body:
            if isinstance(node, ast.ClassDef):
                places[node.name.lstrip("_")].append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_reference_to_a_book_that_is_not_here() -> None:
    book = re.compile(
        r"\b(?:FEEDS|DETECTION|ALERTS|FAUST|STYLE)(?:\.md)? rules?\b.*|\([A-Z]{1,2}\d{1,2}(?:, [A-Z]\d+)*\)"
    )
    assert book.findall("as FEEDS rule D2 says")
    assert book.findall("the age (S11), and the key (H1, H14)") == ["(S11)", "(H1, H14)"]
    found = {module: book.findall(path.read_text(encoding="utf-8")) for module, path in modules().items()}
    assert {module: references for module, references in found.items() if references} == {}


#: Modules that know letters by what Unicode says of them, whatever the language.
LETTERS_OF_UNICODE = ("monitor.detect.text.normal",)


def literals(module: str) -> set[str]:
    """The texts in a module's code, without its docstrings."""
    spoken = {
        id(node.body[0].value)
        for node in (tree(module), *statements(module))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return {
        node.value
        for node in ast.walk(tree(module))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in spoken
    }


def of_a_language(text: str, marks: frozenset[str]) -> bool:
    """Whether a text in the code is a word or letter of some language, rather than a name of ours."""
    letters = re.findall(r"[^\W\d_]", text)
    regex_words = re.findall(r"(?<![\w\\(?<{])([a-z]{2,})\\s", text)
    return not all(letter.isascii() for letter in letters) or text in marks or bool(regex_words)


def test_no_word_of_a_language_stands_in_python() -> None:
    """Detection knows languages by their folders alone: words, letters and marks of owners are data."""
    folders = sorted((ROOT / "monitor" / "detect" / "data" / "languages").glob("*/layout.yaml"))
    layouts = [yaml.safe_load(path.read_bytes())["layout"] for path in folders]
    marks = frozenset(mark for layout in layouts for mark in layout.get("possessives", ()))
    assert "'s" in marks
    assert of_a_language("'s", marks)
    assert of_a_language("саммит", marks)
    assert of_a_language(r"(?:the\s|this\s)", marks)
    assert not of_a_language("COMMA", marks)
    rooms = ("monitor.detect", "monitor.assemble", "monitor.notify")
    found = {
        (module, text)
        for module in modules()
        if module.startswith(rooms) and module not in LETTERS_OF_UNICODE
        for text in literals(module)
        if of_a_language(text, marks)
    }
    assert found == set()


def test_classes_of_words_that_the_code_goes_by_are_listed_in_one_place() -> None:
    known = set(get_args(ItemClass))
    assert set(BUILT_IN) < known
    used: set[str] = set()
    for module in modules():
        if not module.startswith("monitor.detect."):
            continue
        for node in ast.walk(tree(module)):
            compared = isinstance(node, ast.Compare) and getattr(node.left, "attr", "") == "class_"
            listed = isinstance(node, ast.AnnAssign) and "ItemClass" in ast.unparse(node.annotation)
            if compared or listed:
                used |= {
                    one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)
                }
    assert used - known == set(), "not in ItemClass"
    assert known - used - set(BUILT_IN) == set(), "in ItemClass, but no code goes by it"


#: Words with which a docstring is a name or a saying, and not a sentence that tells what the function does.
NO_VERBS = re.compile(
    r"(The|An?|All|Any|As|At|Both|Each|Entry|Every|For|How|In|No|None|Of|On|One|Other|To|What|When|Where|Whether|Which|Who|True"
    r"|\W.*|\d.*|\w+[^su\W]s)\W*"
)


def public_functions(module: str) -> list[tuple[str, str]]:
    """Names and docstrings of what others call: no properties, and no commands, whose docstrings are their help."""
    found: list[tuple[str, str]] = []

    def look(parent: ast.Module | ast.ClassDef, before: str) -> None:
        for node in parent.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(
                "_"
            ):
                name, text = f"{before}.{node.name}", ast.get_docstring(node) or ""
                if isinstance(node, ast.ClassDef):
                    look(node, name)
                elif not any(
                    "property" in ast.unparse(one) or ".command" in ast.unparse(one) or ".group" in ast.unparse(one)
                    for one in node.decorator_list
                ):
                    found.append((name, text))

    look(tree(module), module)
    return found


#: Words of the longest sentence of a docstring and of a page.
MAX_WORDS, MAX_WORDS_OF_PAGES = 40, 45


def sentences_of(text: str) -> list[str]:
    """Stretches up to a stop, colon or semicolon; samples of commands, which click is not to wrap, are none."""
    prose = [part for part in text.split("\n\n") if not part.startswith("\\b\n")]
    return [one for part in prose for one in re.split(r"(?<=[.;:!?)])\s+", part)]


def test_what_a_function_does_is_told_by_a_verb() -> None:
    assert NO_VERBS.fullmatch("Events,")
    assert NO_VERBS.fullmatch("`UTC`")
    assert not NO_VERBS.fullmatch("Pass")
    found = [one for module in modules() for one in public_functions(module)]
    assert len(found) > 1000
    assert [(name, text.split("\n")[0]) for name, text in found if NO_VERBS.fullmatch(text.split()[0])] == []


def test_no_docstring_has_a_sentence_that_must_be_read_twice() -> None:
    """At most 40 words to the next stop, colon or semicolon."""
    long = [
        (module, sentence)
        for module in modules()
        for node in (tree(module), *statements(module))
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for sentence in sentences_of(ast.get_docstring(node) or "")
        if len(sentence.split()) > MAX_WORDS
    ]
    assert long == []


def prose_of(page: str) -> list[str]:
    """The paragraphs and list items of a page, without its headings, tables, code and samples."""
    blocks = re.split(r"\n\s*\n", re.sub(r"```.*?```", "\n\n", page, flags=re.DOTALL))
    blocks = [block for block in blocks if not block.lstrip("\n").startswith(("|", "#", "    "))]
    return [item for block in blocks for item in re.split(r"\n(?=\s*(?:[-*]|\d+\.) )", block)]


def test_no_page_has_a_sentence_that_must_be_read_twice() -> None:
    """At most 45 words to the next stop, colon or semicolon."""
    sample = "# A\n\n- b c\n  d\n- e\n\n    sample\n\n| a | b |\n\n```\ncode\n```\n"
    assert [one for one in prose_of(sample) if one.strip()] == ["- b c\n  d", "- e"]
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    long = [
        (page.name, sentence)
        for page in pages
        for paragraph in prose_of(page.read_text(encoding="utf-8"))
        for sentence in sentences_of(paragraph)
        if len(sentence.split()) > MAX_WORDS_OF_PAGES
    ]
    assert long == []


def test_modules_and_names_that_a_text_refers_to_are_there() -> None:
    """`monitor.http.bodies.LargeBodyLimit` in a docstring or a comment: the module is there, and has the name."""
    reference = re.compile(r"`((?:monitor|agents)(?:\.\w+)+)`")

    def is_there(name: str) -> bool:
        if name in modules():
            return True
        module, _, attribute = name.rpartition(".")
        return module in modules() and attribute in modules()[module].read_text(encoding="utf-8")

    assert is_there("monitor.http.bodies.LargeBodyLimit")
    assert not is_there("monitor.http.nowhere.LargeBodyLimit")
    texts = {module: path.read_text(encoding="utf-8") for module, path in modules().items()}
    assert [
        (module, name) for module, text in texts.items() for name in reference.findall(text) if not is_there(name)
    ] == []


def test_functions_fit_on_a_screen() -> None:
    """At most 60 lines a function, docstring and signature left out."""
    long = {}
    for module in modules():
        for node in statements(module):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
                length = (body[-1].end_lineno or 0) - body[0].lineno + 1
                if length > 60:
                    long[f"{module}.{node.name}"] = length
    assert long == {}


def test_links_in_the_docs_lead_somewhere() -> None:
    broken, seen = [], 0
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        seen += len(targets)
        broken += [
            f"{page.relative_to(ROOT)}: {target}"
            for target in targets
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists()
        ]
    assert broken == []
    assert seen > 50
    decisions = ROOT / "docs" / "decisions"
    listed = (decisions / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in decisions.glob("*.md") if page.name != "README.md" and page.name not in listed] == []


def test_files_that_the_docs_name_are_there() -> None:
    path = re.compile(r"`((?:monitor|agents|tests|training|deploy|docs)/[\w./-]+)(?:::\w+)?`")
    named = [
        (page, name)
        for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
        for name in path.findall(page.read_text(encoding="utf-8"))
    ]
    assert [(str(page.relative_to(ROOT)), name) for page, name in named if not (ROOT / name).exists()] == []
    assert len(named) > 100


#: Tests that are named after what they hold against a room, not after one module of it.
WHOLE_ROOM = {
    "tables of cases": r"rows_\w+|catalogue|examples|each_setting|facts|languages",
    "inputs collected elsewhere": r"suites|shared_reports|reports|snapshots|nothing_of_the_texts",
    "what holds for anything": r"properties|engine_properties|bounds|hostile|disguises|habits|shortcuts",
    "faults": r"evil|faults|outage|crash_matrix",
    "one promise through many modules": r"docs|stages|board_link|retraction|rosters|bundled",
}


def test_tests_are_named_after_the_module_or_room_that_they_test() -> None:
    """`tests/monitor/a/test_b.py` tests `monitor/a/b.py`, or the folder `monitor/a/b`, or `monitor/a` if `a` is `b`."""
    kinds = re.compile("|".join(WHOLE_ROOM.values()))
    tests = [*(ROOT / "tests" / "monitor").rglob("test_*.py"), *(ROOT / "tests" / "agents").rglob("test_*.py")]
    assert len(tests) > 100
    lost = []
    for path in tests:
        name = path.stem.removeprefix("test_")
        room = ROOT / path.parent.relative_to(ROOT / "tests")
        assert room.is_dir(), f"{path.parent} mirrors no folder"
        mirrored = (room / f"{name}.py").exists() or (room / name).is_dir() or room.name == name
        if not mirrored and not kinds.fullmatch(name):
            lost.append(str(path.relative_to(ROOT)))
    assert lost == []


def test_each_kind_of_test_without_a_module_is_in_use() -> None:
    names = {path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")}
    kinds = [kind for listed in WHOLE_ROOM.values() for kind in listed.split("|")]
    assert [kind for kind in kinds if not any(re.fullmatch(kind, name) for name in names)] == []

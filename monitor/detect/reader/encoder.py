"""Runs the model file: word pieces in, scores out.

`data/reader.onnx` holds the weights in int8, `data/pieces.txt` the text of each row of its embedding table, and
`data/card.yaml` describes both and gives their digests. If a file is missing or differs from the card, the process does
not start: without the reader, rules alone would silently find a third fewer contacts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from monitor.detect.datafile import read
from monitor.detect.reader.pieces import WordPieces
from monitor.errors import DataFileError

DATA = Path(__file__).parent / "data"
MODEL, VOCABULARY, CARD = "reader.onnx", "pieces.txt", "card.yaml"


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The model's description, mostly for people. The code uses the following.

    `digests`: SHA-256 by file name. `languages`: those that it was trained on. `statuses`, `media` and `kinds`: what
    the scores stand for, in their order.
    """

    name: str
    made: str
    base: Mapping[str, str]
    licence: str
    data: Mapping[str, Any]
    sizes: Mapping[str, int]
    training: Mapping[str, Any]
    figures: Mapping[str, str | Mapping[str, Mapping[str, float]]]
    limits: tuple[str, ...]
    languages: tuple[str, ...]
    statuses: tuple[str, ...]
    media: tuple[str, ...]
    kinds: tuple[str, ...]
    digests: Mapping[str, str]


class Encoder:
    """The model of one folder. Threads may share an instance.

    Raises DataFileError when a file is missing or differs from the card.
    """

    def __init__(self, folder: Path = DATA) -> None:
        self.card = read(CARD, Card, folder=folder)
        model = _checked(folder / MODEL, self.card)
        self.pieces = WordPieces(_checked(folder / VOCABULARY, self.card).read_bytes().decode().split("\n"))
        try:
            self._session = session_of(model)
        except Exception as error:  # onnxruntime's exceptions come from its C++ module and have no common base class
            raise DataFileError(str(folder / MODEL), "", f"onnxruntime cannot read it: {error}") from error

    def scores(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Return the scores of each passage (a list of table rows): statuses, media, kinds, in the card's order.

        Each passage is a separate pass: activations of one pass share a quantisation scale, so passages in one pass
        would change each other's scores. On one thread a common pass would not be faster.
        """
        return np.array([score(self._session, rows) for rows in passages], np.float32)


def session_of(model: Path) -> onnxruntime.InferenceSession:
    """Return a session of the model file with one thread; run more workers to use more cores.

    onnxruntime reads the file itself: handing it the bytes would copy them once more, which takes as long as reading.
    It must not fuse an addition with the normalisation behind it: its common kernel takes four times as long as both
    kernels do apart, a seventh of a pass (onnxruntime 1.32).
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"], disabled_optimizers=["SkipLayerNormFusion"]
    )


def score(session: onnxruntime.InferenceSession, rows: Sequence[int]) -> NDArray[np.float32]:
    """Return the scores of one passage, in a separate pass."""
    scores: NDArray[np.float32] = session.run(["scores"], {"ids": np.array([rows], np.int32)})[0][0]
    return scores


@cache
def bundled_encoder() -> Encoder:
    """Return the encoder that ships with the package, loaded once. Raises as `Encoder` does."""
    return Encoder()


def _checked(path: Path, card: Card) -> Path:
    """The path, if the file has the card's digest. The file is read in small parts: a model has many megabytes."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataFileError(str(path), "", f"cannot be read: {error.strerror}; install the package again") from error
    if digest != card.digests.get(path.name):
        raise DataFileError(str(path), "", f"is not the file that {CARD} describes; install the package again")
    return path

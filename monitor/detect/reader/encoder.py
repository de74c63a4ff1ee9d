"""Runs the encoder's file: word pieces in, scores out.

One file, `data/reader.onnx`, holds the weights in int8; `data/pieces.txt` the text of each row of its table, and
`data/card.yaml` says what they are and which digests they have. A file that is missing or is not the one that the card
describes stops the start with one error: a service that silently went on with rules alone would find a third less.
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
from monitor.detect.reader.pieces import Pieces
from monitor.errors import DataFileError

DATA = Path(__file__).parent / "data"
MODEL, VOCABULARY, CARD = "reader.onnx", "pieces.txt", "card.yaml"


class Card(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the file is: for people, but for three things that the code goes by.

    `digests` are SHA-256 by file name, `languages` those that it has read examples of; `statuses`, `media` and `kinds`
    are the scores in their order.
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
    """The encoder of one folder. An instance may be shared by threads.

    Raises DataFileError when a file is missing, or is another one than the card describes.
    """

    def __init__(self, folder: Path = DATA) -> None:
        self.card = read(CARD, Card, folder=folder)
        model = _checked(folder / MODEL, self.card)
        self.pieces = Pieces(_checked(folder / VOCABULARY, self.card).decode().split("\n"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # a worker is one thread; scale by workers
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises classes of its own C++ module, without a common base
            raise DataFileError(str(folder / MODEL), "", f"onnxruntime cannot read it: {error}") from error

    def scores(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """The scores of each passage (given as rows of the table): statuses, media, kinds, in the card's order.

        One pass each: activations are quantised with one scale for all that is in a pass, so passages that are read
        together change each other's scores. Together they would be no faster on one thread.
        """
        found = [self._session.run(["scores"], {"ids": np.array([rows], np.int32)})[0][0] for rows in passages]
        return np.array(found, np.float32)


@cache
def bundled_encoder() -> Encoder:
    """Return the encoder that ships with the package, loaded once. Raises as `Encoder` does."""
    return Encoder()


def _checked(path: Path, card: Card) -> bytes:
    """The file's bytes if they have the digest that the card gives."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataFileError(str(path), "", f"cannot be read: {error.strerror}; install the package again") from error
    if hashlib.sha256(data).hexdigest() != card.digests.get(path.name):
        raise DataFileError(str(path), "", f"is not the file that {CARD} describes; install the package again")
    return data

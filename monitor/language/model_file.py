"""Keeps py3langid's model in a memory-mapped file, so that several processes share one copy in memory.

As py3langid loads it, the model takes 75 MB in each process (105 MB while loading) and 0.3 s. Here it is unpacked once,
with only the columns of the wanted languages, into a file whose pages the system loads when they are used.
"""

from __future__ import annotations

import fcntl
import io
import lzma
import mmap
import os
import shutil
import struct
import tempfile
import zipfile
from collections.abc import Sequence
from importlib import resources
from typing import IO, TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

#: The header, written last, so that a file whose writer died is written again: its length, then the place of each
#: array.
_HEAD = struct.Struct("<Q")
_PAGE, _SLICE = 4096, 1 << 20

_shared = -1


class _Array(msgspec.Struct, frozen=True, array_like=True):
    """An array in the file: its type as NumPy calls it, its shape, the byte where it begins, and its size in bytes."""

    kind: str
    shape: tuple[int, ...]
    start: int
    size: int


class _ModelLayout(msgspec.Struct, frozen=True, array_like=True):
    labels: tuple[str, ...]
    arrays: dict[str, _Array]


def share(descriptor: int) -> None:
    """Use this open file, which is empty at first and shared with other processes, instead of a file of our own."""
    global _shared  # noqa: PLW0603  # what the process was started with
    _shared = descriptor


def load(languages: Sequence[str]) -> LanguageIdentifier:
    """Return the model for these languages (ISO 639-1). Processes that share a file must ask for the same ones."""
    if _shared >= 0:
        return _mapped(_shared, languages)
    with tempfile.TemporaryFile() as own:
        return _mapped(own.fileno(), languages)


def _mapped(descriptor: int, languages: Sequence[str]) -> LanguageIdentifier:
    import numpy as np  # noqa: PLC0415  # most runs need no model
    from py3langid.langid import LanguageIdentifier  # noqa: PLC0415

    fcntl.lockf(descriptor, fcntl.LOCK_EX)  # between processes; released when the process dies
    try:
        if not any(os.pread(descriptor, _HEAD.size, 0)):
            _unpack(descriptor, languages)
    finally:
        fcntl.lockf(descriptor, fcntl.LOCK_UN)
    (length,) = _HEAD.unpack(os.pread(descriptor, _HEAD.size, 0))
    layout = msgspec.msgpack.decode(os.pread(descriptor, length, _HEAD.size), type=_ModelLayout)
    whole = memoryview(mmap.mmap(descriptor, 0, prot=mmap.PROT_READ))

    def array(name: str) -> Any:  # noqa: ANN401  # NumPy's, which this module imports late
        found = layout.arrays[name]
        return np.frombuffer(whole, found.kind, int(np.prod(found.shape)), found.start).reshape(found.shape)

    def plain(name: str) -> memoryview:
        # Python's own integers: reading single ones is twice as fast as with NumPy's.
        return memoryview(array(name))

    return LanguageIdentifier(
        array("ptc"), array("pc"), list(layout.labels), plain("nextmove"), plain("out_feat"),
        norm_probs=True, tk_row=plain("nextmove_row"),
    )  # fmt: skip


def _unpack(descriptor: int, languages: Sequence[str]) -> None:
    import numpy as np  # noqa: PLC0415

    os.ftruncate(descriptor, 0)
    packed = resources.files("py3langid").joinpath("data", "model.npz.xz")
    with tempfile.TemporaryFile() as plain:
        with packed.open("rb") as file, lzma.open(file) as source:
            shutil.copyfileobj(source, plain, _SLICE)
        plain.seek(0)
        with zipfile.ZipFile(plain) as parts:
            with parts.open("classes.npy") as source:
                labels = np.load(io.BytesIO(source.read()), allow_pickle=False).tolist()
            columns = [n for n, label in enumerate(labels) if label in set(languages)]
            found: dict[str, _Array] = {}
            end = _PAGE
            for name in ("ptc", "pc", "nextmove", "nextmove_row", "out_feat"):
                with parts.open(f"{name}.npy") as source:
                    found[name] = _copied(source, descriptor, end, columns if name in {"ptc", "pc"} else None)
                end += -(-found[name].size // _PAGE) * _PAGE
    os.ftruncate(descriptor, end)
    layout = msgspec.msgpack.encode(_ModelLayout(tuple(labels[n] for n in columns), found))
    os.pwrite(descriptor, layout, _HEAD.size)
    os.pwrite(descriptor, _HEAD.pack(len(layout)), 0)


def _copied(source: IO[bytes], descriptor: int, start: int, columns: list[int] | None) -> _Array:
    """Copy an array, or some of its columns, in slices: the largest would take 40 MB at once."""
    import numpy as np  # noqa: PLC0415

    np.lib.format.read_magic(source)
    shape, by_column, kind = np.lib.format.read_array_header_1_0(source)
    if by_column or kind.hasobject:
        raise ValueError("py3langid's model no longer has the expected layout")
    width = shape[-1] if columns is not None else 1
    at = start
    while data := source.read(_SLICE // (width * kind.itemsize) * width * kind.itemsize):
        if columns is not None:
            data = np.frombuffer(data, kind).reshape(-1, width)[:, columns].tobytes()
        at += os.pwrite(descriptor, data, at)
    if columns is not None:
        shape = (*shape[:-1], len(columns))
    return _Array(kind.str, shape, start, at - start)

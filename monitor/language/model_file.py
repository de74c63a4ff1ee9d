"""Keeps py3langid's model in a memory-mapped file, so that several processes share one copy in memory.

As py3langid loads it, the model takes 75 MB in each process (105 MB while loading) and 0.3 s. Here it is unpacked once,
with only the columns of the wanted languages, into a file whose pages the system loads when they are used. The file is
kept beside this module for later processes, as Python keeps compiled modules.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import mmap
import os
import shutil
import struct
import sys
import tempfile
import threading
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

#: Where the unpacked file is kept. Nothing is kept where Python keeps no compiled modules (PYTHONDONTWRITEBYTECODE), or
#: if the folder is read-only.
KEPT = Path(__file__).parent / "__pycache__" / "languages.model"
#: The file begins with the digest of what it was made of and the length of its layout. A change of its form changes
#: `_FORM`, and so the digest.
_HEAD = struct.Struct("<16sQ")
_FORM = b"1"
_PAGE, _SLICE = 4096, 1 << 20


class _Array(msgspec.Struct, frozen=True, array_like=True):
    """An array in the file: its type as NumPy calls it, its shape, the byte where it begins, and its size in bytes."""

    kind: str
    shape: tuple[int, ...]
    start: int
    size: int


class _ModelLayout(msgspec.Struct, frozen=True, array_like=True):
    labels: tuple[str, ...]
    arrays: dict[str, _Array]


def load(languages: Sequence[str]) -> LanguageIdentifier:
    """Return the model for these languages (ISO 639-1), from the kept file if it was made for them."""
    packed = resources.files("py3langid").joinpath("data", "model.npz.xz").read_bytes()
    digest = hashlib.blake2b(_FORM + " ".join(languages).encode() + packed, digest_size=16).digest()
    if (found := _kept(digest)) is not None:
        return found
    if not sys.dont_write_bytecode:
        with suppress(OSError):
            _keep(packed, languages, digest)
        if (found := _kept(digest)) is not None:
            return found
    with tempfile.TemporaryFile() as file:
        _unpack(packed, languages, digest, file.fileno())
        return _mapped(file.fileno())


def _kept(digest: bytes) -> LanguageIdentifier | None:
    """The model in the kept file, None if there is none that was made of this.

    A map holds its file open, and parsers of foreign documents inherit it: so the file is opened only for reading.
    """
    with suppress(OSError), KEPT.open("rb") as file:
        if file.read(len(digest)) == digest:
            return _mapped(file.fileno())
    return None


def _keep(packed: bytes, languages: Sequence[str], digest: bytes) -> None:
    """Unpack the model into the kept file: under another name first, so that no process reads half of it.

    Raises OSError if it can't be written.
    """
    KEPT.parent.mkdir(exist_ok=True)
    own = KEPT.with_name(f"{KEPT.name}.{threading.get_native_id()}")
    try:
        with own.open("wb+") as file:
            _unpack(packed, languages, digest, file.fileno())
        own.replace(KEPT)
    finally:
        own.unlink(missing_ok=True)


def _mapped(descriptor: int) -> LanguageIdentifier:
    import numpy as np  # noqa: PLC0415  # most runs need no model
    from py3langid.langid import LanguageIdentifier  # noqa: PLC0415

    _, length = _HEAD.unpack(os.pread(descriptor, _HEAD.size, 0))
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


def _unpack(packed: bytes, languages: Sequence[str], digest: bytes, descriptor: int) -> None:
    import numpy as np  # noqa: PLC0415

    with tempfile.TemporaryFile() as plain:
        with lzma.open(io.BytesIO(packed)) as source:
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
    os.pwrite(descriptor, _HEAD.pack(digest, len(layout)), 0)


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

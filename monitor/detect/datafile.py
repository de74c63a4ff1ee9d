"""The data files of detection: read once, checked strictly when they are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from monitor.errors import DataFileError

DATA = Path(__file__).parent / "data"

T = TypeVar("T")


def read(name: str, type_: type[T], *, folder: Path = DATA) -> T:
    """The YAML file `name` of `folder` as a `type_`.

    Raises DataFileError, naming file and place, when it is missing, is not YAML, or holds something else.
    """
    path = folder / name
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=type_)
    except OSError as error:
        raise DataFileError(str(path), "", f"cannot be read: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeError) as error:
        problem, _, where = str(error).partition(" - at ")
        raise DataFileError(str(path), where.strip("`"), problem) from error

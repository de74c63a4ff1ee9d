"""The data files of detection: read once, checked strictly when they are loaded."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec
import yaml

from monitor.errors import DataFileError
from monitor.yaml_text import parse_yaml

DATA = Path(__file__).parent / "data"

T = TypeVar("T")


def read(name: str, type_: type[T], *, folder: Path = DATA) -> T:
    """Read the YAML file `name` of `folder` as a `type_`.

    Raises DataFileError, naming file and place, when it is missing, is not YAML, or holds something else.
    """
    path = folder / name
    try:
        return msgspec.convert(parse_yaml(path.read_bytes()), type_, strict=False)
    except OSError as error:
        raise DataFileError(str(path), "", f"cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeError) as error:
        raise DataFileError(str(path), "", f"is not YAML: {error}") from error
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at ")
        raise DataFileError(str(path), where.strip("`"), problem) from error

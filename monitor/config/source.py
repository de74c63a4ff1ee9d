# ruff: noqa: ANN401 - a value of a YAML file can be of any type until it is built
"""Read YAML and environment variables into one tree that remembers the file, line or variable of each value.

Scalars follow the YAML 1.2 core schema, not PyYAML's 1.1: `NO` is Norway, not false, and `22:00` is a time of day, not
the number 1320 (https://yaml.org/spec/1.2.2/#103-core-schema).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from monitor.errors import ConfigError

#: The path of a value from the root: keys and list indexes.
KeyPath: TypeAlias = tuple[str | int, ...]
ENV_PREFIX = "SUMMITRY_"

_MAX_BYTES = 1024 * 1024
_MAX_NODES = 50_000
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, Any] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


def dotted(path: KeyPath) -> str:
    """Return the path as the user would write it: `receivers.desk.token`, `routes[0].name`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint: the most similar known word, or all known words when none is similar."""
    names = list(known)
    near = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    return "known here: " + ", ".join(names) if names else "nothing is expected here"


class ConfigTree:
    """The values of a configuration, and for each value the line of the file or the variable that it came from."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.values: dict[str, Any] = {}
        self._lines: dict[KeyPath, int] = {}
        self._variables: dict[KeyPath, str] = {}
        self._nodes = 0

    def error(self, path: KeyPath, problem: str, fix: str = "") -> ConfigError:
        """Return a ConfigError for the value at `path`, with its line of the file or its environment variable."""
        for length in range(len(path), -1, -1):
            variable = self._variables.get(path[:length])
            if variable:
                return ConfigError("environment", variable, problem, fix)
            line = self._lines.get(path[:length])
            if line:
                return ConfigError(f"{self.file}:{line}", dotted(path), problem, fix)
        return ConfigError(self.file, dotted(path), problem, fix)

    def from_variable(self, path: KeyPath) -> bool:
        """Tell whether the value at `path` was given by an environment variable."""
        return path in self._variables

    def read_file(self, path: Path) -> None:
        """Take the values of a YAML file. Raises ConfigError when it can't be read or isn't a mapping."""
        try:
            data = path.read_bytes()
        except OSError as error:
            problem = "no such file" if isinstance(error, FileNotFoundError) else f"can't be read: {error.strerror}"
            raise ConfigError(self.file, "", problem, "give the path of a YAML file, e.g. summitry.yaml") from error
        if len(data) > _MAX_BYTES:
            raise ConfigError(
                self.file, "", f"{len(data)} bytes is too large for a configuration", "keep it under 1 MiB"
            )
        try:
            root = yaml.compose(data, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark
            where = f"{self.file}:{mark.line + 1}" if mark else self.file
            raise ConfigError(where, "", f"not valid YAML: {error.problem}", "check indentation and quotes") from error
        except (yaml.YAMLError, UnicodeError) as error:
            raise ConfigError(self.file, "", "not valid YAML: it is not UTF-8 text", "save it as UTF-8") from error
        except RecursionError as error:
            raise ConfigError(self.file, "", "nested too deeply", "no section is deeper than six levels") from error
        if root is None:
            return
        if not isinstance(root, yaml.MappingNode):
            raise ConfigError(self.file, "", "not a mapping of sections", "start with a section, e.g. 'broker:'")
        self.values = self._plain(root, ())

    def _plain(self, node: yaml.Node, path: KeyPath) -> Any:
        self._nodes += 1
        line = node.start_mark.line + 1
        if len(path) > 12 or self._nodes > _MAX_NODES:
            raise ConfigError(
                f"{self.file}:{line}", dotted(path[:6]), "nested too deeply or too large", "use fewer aliases"
            )
        self._lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            mapping: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
                key_line = key_node.start_mark.line + 1
                if key is None:
                    raise ConfigError(f"{self.file}:{key_line}", dotted(path), "a key must be plain text")
                inner = (*path, key)
                if key in mapping:
                    raise ConfigError(
                        f"{self.file}:{key_line}", dotted(inner), f"given twice, first on line {self._lines[inner]}",
                        "keep one of them",
                    )  # fmt: skip
                self._lines[inner] = key_line
                mapping[key] = self._plain(value_node, inner)
            return mapping
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, (*path, index)) for index, item in enumerate(node.value)]
        if not isinstance(node, yaml.ScalarNode):  # pragma: no cover - YAML has no fourth kind of node
            raise TypeError(f"unexpected {type(node).__name__}")
        return _scalar(node.value, quoted=node.style is not None)

    def read_environment(self, env: Mapping[str, str]) -> None:
        """Override values with those of variables named `SUMMITRY_SECTION__KEY`; the values are read as YAML.

        Variables without a double underscore, such as SUMMITRY_CLOCK, are ignored. Raises ConfigError for a variable
        that is not valid YAML.
        """
        for name in sorted(env):
            if not name.startswith(ENV_PREFIX) or "__" not in name:
                continue
            steps = name.removeprefix(ENV_PREFIX).lower().split("__")
            try:
                node = yaml.compose(env[name], Loader=yaml.SafeLoader)
            except (yaml.YAMLError, RecursionError) as error:
                raise ConfigError("environment", name, "not a valid YAML value", "quote it") from error
            here: Any = self.values
            path: KeyPath = ()
            for step in steps[:-1]:
                key = _same(step, here)
                path = (*path, key)
                if not isinstance(here.get(key), dict):
                    here[key] = {}
                    self._variables[path] = name
                here = here[key]
            key = _same(steps[-1], here)
            path = (*path, key)
            here[key] = None if node is None else self._plain(node, path)
            self._lines.pop(path, None)
            self._variables[path] = name
            if isinstance(here[key], int | float) and not isinstance(here[key], bool):
                # Only the type of the key that it sets says whether the variable is meant as number or text.
                here[key] = NumberOrText(here[key], env[name])


class NumberOrText:
    """An environment variable that looks like a number, and its text: a password may consist of digits only."""

    __slots__ = ("number", "text")

    def __init__(self, number: float, text: str) -> None:
        self.number = number
        self.text = text


def _same(step: str, mapping: Mapping[str, Any]) -> str:
    """Return the key that a part of a variable's name means, ignoring case and the difference of `-` and `_`."""
    return next((key for key in mapping if key.lower().replace("-", "_") == step), step)


def _scalar(text: str, *, quoted: bool) -> Any:
    if quoted:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text) and len(text) < 20:
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text

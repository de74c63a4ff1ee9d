"""Load and check the configuration (`load_config`), and write it back as YAML with secrets masked (`shown`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
import yaml
from msgspec import inspect as types

from monitor.config.build import SectionBuilder, plain
from monitor.config.rules import mistakes
from monitor.config.secret import redacted
from monitor.config.sections import Config
from monitor.config.source import ConfigTree


def load_config(path: Path | None, env: Mapping[str, str]) -> Config:
    """Return the configuration of a file (None: the defaults), overridden by environment variables.

    `env` has the overrides (`SUMMITRY_SECTION__KEY`) and the variables that `{env: NAME}` secrets name. Raises
    ConfigError at the first mistake.
    """
    tree = ConfigTree(str(path) if path else "defaults")
    if path:
        tree.read_file(path)
    tree.read_environment(env)
    folder = path.resolve().parent if path else Path.cwd()
    config = SectionBuilder(tree, env, folder).build(_layout(), tree.values, ())
    for where, problem, fix in mistakes(config):
        raise tree.error(where, problem, fix)
    return _resolved(config, folder)


@cache
def _layout() -> types.Type:
    """Return the sections and keys of the configuration, read once: inspecting the annotations takes 20 ms."""
    return types.type_info(Config)


def _resolved(config: Config, folder: Path) -> Config:
    """Make the paths of feed lists absolute; leave `bundled` and URLs as they are."""
    feeds = tuple(
        entry if entry == "bundled" or "://" in entry else str((folder / Path(entry).expanduser()).resolve())
        for entry in config.feeds
    )
    return msgspec.structs.replace(config, feeds=feeds)


def shown(config: Config) -> str:
    """Return the whole configuration as YAML, defaults included and secrets masked, also those inside addresses."""
    return redacted(yaml.safe_dump(plain(config), sort_keys=False, allow_unicode=True, width=110))

"""`load_config`: file and environment in, checked configuration out; `shown`: the way back, secrets masked."""

from __future__ import annotations

from collections.abc import Mapping
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
    """Return the configuration of a file (None: the defaults) with the environment's overrides laid over it.

    `env` gives the overrides (`SUMMITRY_SECTION__KEY`) and the secrets that are `{env: NAME}`. Raises ConfigError
    at the first mistake.
    """
    tree = ConfigTree(str(path) if path else "defaults")
    if path:
        tree.read_file(path)
    tree.read_environment(env)
    folder = path.resolve().parent if path else Path.cwd()
    config = SectionBuilder(tree, env, folder).build(types.type_info(Config), tree.values, ())
    for where, problem, fix in mistakes(config):
        raise tree.error(where, problem, fix)
    return _resolved(config, folder)


def _resolved(config: Config, folder: Path) -> Config:
    """The feed lists as absolute paths; `bundled` and addresses stay."""
    feeds = tuple(
        entry if entry == "bundled" or "://" in entry else str((folder / Path(entry).expanduser()).resolve())
        for entry in config.feeds
    )
    return msgspec.structs.replace(config, feeds=feeds)


def shown(config: Config) -> str:
    """Return the whole configuration as YAML, defaults included and secrets masked, also those inside addresses."""
    return redacted(yaml.safe_dump(plain(config), sort_keys=False, allow_unicode=True, width=110))

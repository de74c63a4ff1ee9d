"""The parts of the monitor that need no stream library: polling, detection, assembly, alert policy, watchlist.

Faust is used in `agents` only.
"""

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """Return `__version__` when it is first asked for: importing what reads it takes 30 ms of each command's start."""
    if name != "__version__":
        raise AttributeError(name)
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("summitry")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0.0.0"

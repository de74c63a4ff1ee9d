"""What a news monitor knows and does: watchlist, detection, assembly, alert policy, polling. No Faust in here."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("summitry")
except PackageNotFoundError:  # a checkout that was never installed
    __version__ = "0.0.0"

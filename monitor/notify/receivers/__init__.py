"""One module a receiver, each behind `Receiver` of base.py.

To add one:

1. its settings in monitor/config/sections.py (a class with its own `tag`, listed in `ReceiverConfig`), its checks in
   monitor/config/rules.py, its keys in docs/configuration.md;
2. its module here: `deliver`, `find`, `close` and `traits`; errors are DeliveryError with a bounded `reason`, GoneError
   when the receiver says it is gone, UncertainError when the message may have arrived; no secret in any error's text;
3. one line in `build` below;
4. a server in tests/receivers/ that behaves as the real one does, and tests over the network against it;
5. a row in the table of docs/alerts.md and, if it may repeat a message after a crash, one in docs/guarantees.md.
"""

from __future__ import annotations

from monitor.config import ConsoleReceiver, ReceiverConfig, WebhookReceiver
from monitor.errors import ConfigError
from monitor.notify.receivers.base import GoneError, Receiver, Traits, UncertainError


def build(config: ReceiverConfig) -> Receiver:
    """The receiver of a configuration. Modules are imported as they are needed: some want optional packages."""
    match config:
        case ConsoleReceiver():
            from monitor.notify.receivers.console import Console  # noqa: PLC0415

            return Console.of(config)
        case WebhookReceiver():
            from monitor.notify.receivers.webhook import Webhook  # noqa: PLC0415

            return Webhook(config)
    raise ConfigError("receivers", "", f"{type(config).__name__} can't be used yet")


__all__ = ["GoneError", "Receiver", "Traits", "UncertainError", "build"]

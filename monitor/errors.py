"""Every error of the project, in one tree.

    SummitryError                 reason, retryable, context
    ├── ConfigError               a mistake in a file the user wrote: file, key, problem, fix
    ├── DataFileError             a bundled or user data file is not valid
    ├── DecodeError               bytes that can't be decoded into the expected record  (reason "undecodable")
    │   └── NewerSchemaError      a record that a newer version of Summitry wrote       (reason "newer_schema")
    ├── DeadlyRecordError         a record that killed its process several times        (reason "deadly")
    ├── StateError                stored state that can't be read: damaged, or of a newer version      (reason "state")
    ├── StageTimeoutError         a handler did not end within its time limit           (reason "timeout", retryable)
    ├── BrokerError               no broker answers, or it refuses                      (reason "broker", retryable)
    ├── UnknownIdError            nothing has the id or name that the user gave          (reason "unknown_id")
    ├── HttpError                 an HTTP request failed; see monitor.http              (reason names the cause)
    ├── FeedError                 a feed could not be read; see monitor.feeds           (reason names the cause)
    └── DeliveryError             a receiver did not take a message; see monitor.notify (reason names the cause)

`reason` is a short identifier from a fixed set, such as `dns_timeout`. It is the label of metrics and the reason that a
dead letter carries.
"""

from __future__ import annotations


class SummitryError(Exception):
    """Base class of all errors that the project raises on purpose.

    Attributes: `reason` (the metric label), `retryable` (whether the same input may succeed later).
    """

    reason: str = "error"
    retryable: bool = False

    def __init__(self, message: str, *, reason: str | None = None, retryable: bool | None = None) -> None:
        super().__init__(message)
        if reason is not None:
            self.reason = reason
        if retryable is not None:
            self.retryable = retryable


class ConfigError(SummitryError):
    """A mistake in a file that the user wrote. Its message is one line: `FILE: KEY: PROBLEM; FIX`."""

    reason = "config"

    def __init__(self, file: str, key: str, problem: str, fix: str = "") -> None:
        self.file, self.key, self.problem, self.fix = file, key, problem, fix
        where = f"{file}: {key}" if key else file
        super().__init__(f"{where}: {problem}" + (f"; {fix}" if fix else ""))


class DataFileError(SummitryError):
    """A data file (language, roster, places, ...) is not valid. The message is `FILE: WHERE: PROBLEM`."""

    reason = "data_file"

    def __init__(self, file: str, where: str, problem: str) -> None:
        self.file, self.where, self.problem = file, where, problem
        super().__init__(f"{file}: {where}: {problem}" if where else f"{file}: {problem}")


class DecodeError(SummitryError):
    """Bytes that can't be decoded into the expected record."""

    reason = "undecodable"


class NewerSchemaError(DecodeError):
    """A record written by a newer version of the project."""

    reason = "newer_schema"


class DeadlyRecordError(SummitryError):
    """A record that was set aside because the processes that handled it died several times."""

    reason = "deadly"


class StateError(SummitryError):
    """The stored state of a stage can't be read: it is damaged, or a newer version wrote it."""

    reason = "state"


class StageTimeoutError(SummitryError):
    """A handler did not end within its time limit."""

    reason = "timeout"
    retryable = True


class BrokerError(SummitryError):
    """No broker answers, or the broker refuses a request."""

    reason = "broker"
    retryable = True


class UnknownIdError(SummitryError):
    """Nothing has the id or name that a user asked for."""

    reason = "unknown_id"


class HttpError(SummitryError):
    """An HTTP request failed, or its answer could not be read within the limits of size and time."""

    reason = "http"
    retryable = True


class FeedError(SummitryError):
    """A feed could not be fetched or read."""

    reason = "feed"
    retryable = True


class DeliveryError(SummitryError):
    """A receiver did not take a message.

    Attributes: `retry_after`, the seconds that the receiver asked us to wait, or None when it did not ask.
    """

    reason = "delivery"
    retryable = True

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, reason=reason, retryable=retryable)
        self.retry_after = retry_after

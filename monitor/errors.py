"""Every error of the project, in one tree.

    SummitryError                 reason, retryable, context
    ├── ConfigError               a mistake in a file the user wrote: file, key, what is wrong, what would be right
    ├── DataFileError             a bundled or user data file does not hold what its reader needs
    ├── DecodeError               bytes that are not the record they should be          (reason "undecodable")
    │   └── NewerSchemaError      a record of a version this reader does not know yet   (reason "newer_schema")
    ├── DeadlyRecordError         a record over which processes died again and again    (reason "deadly")
    ├── StateError                stored state that can't be read: damaged, or of a newer version      (reason "state")
    ├── StageTimeoutError         a handler did not end within its time limit           (reason "timeout", retryable)
    ├── BrokerError               no broker answers, or it refuses                      (reason "broker", retryable)
    ├── UnknownIdError            nothing has the id or name that was asked for          (reason "unknown_id")
    ├── HttpError                 an address could not be asked; see monitor.http       (reason names the cause)
    ├── FeedError                 a feed could not be read; see monitor.feeds           (reason names the cause)
    └── DeliveryError             a receiver did not take a message; see monitor.notify (reason names the cause)

`reason` is short, lower case with underscores, from a bounded set: it is the metric label and the dead letter's reason.
"""

from __future__ import annotations


class SummitryError(Exception):
    """Base of all errors that the project raises on purpose.

    Attributes: `reason` (metric label), `retryable` (the same input may succeed later).
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
    """A mistake in a file that the user wrote, said in one line: `FILE: KEY: PROBLEM; FIX`."""

    reason = "config"

    def __init__(self, file: str, key: str, problem: str, fix: str = "") -> None:
        self.file, self.key, self.problem, self.fix = file, key, problem, fix
        where = f"{file}: {key}" if key else file
        super().__init__(f"{where}: {problem}" + (f"; {fix}" if fix else ""))


class DataFileError(SummitryError):
    """A data file (language, roster, places, ...) is not valid: `FILE: WHERE: PROBLEM`."""

    reason = "data_file"

    def __init__(self, file: str, where: str, problem: str) -> None:
        self.file, self.where, self.problem = file, where, problem
        super().__init__(f"{file}: {where}: {problem}" if where else f"{file}: {problem}")


class DecodeError(SummitryError):
    """Bytes that are not the record they should be."""

    reason = "undecodable"


class NewerSchemaError(DecodeError):
    """A record written by a newer version of the project."""

    reason = "newer_schema"


class DeadlyRecordError(SummitryError):
    """A record over which processes died again and again."""

    reason = "deadly"


class StateError(SummitryError):
    """What a stage stored before can't be read: it is damaged, or a newer version wrote it."""

    reason = "state"


class StageTimeoutError(SummitryError):
    """A handler did not end within its time limit."""

    reason = "timeout"
    retryable = True


class BrokerError(SummitryError):
    """No broker answers, or it refuses what was asked."""

    reason = "broker"
    retryable = True


class UnknownIdError(SummitryError):
    """Nothing has the id or name that a user asked for."""

    reason = "unknown_id"


class HttpError(SummitryError):
    """An address could not be asked, or its answer could not be read within the limits."""

    reason = "http"
    retryable = True


class FeedError(SummitryError):
    """A feed could not be fetched or read."""

    reason = "feed"
    retryable = True


class DeliveryError(SummitryError):
    """A receiver did not take a message.

    Attributes: `retry_after` seconds that the receiver asked for, None when it did not.
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

"""How a process logs: one JSON object a line, a constant event name, facts as fields, no personal data.

Knows structlog and what must never reach a log. Must not know what is logged.
Sources: ASVS 16.2.5 and 16.4.1; design section 4, invariant 8. Names and diagnoses are never passed to a log; the
redaction here is the last wall, for numbers that slip into a text.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog

from hub.core.errors import HubError

_IDENTITY = re.compile(r"(?<![0-9])[1-9][0-9]{16}[0-9Xx](?![0-9])", re.ASCII)
_PHONE = re.compile(r"(?<![0-9A-Za-z])1[3-9][0-9]{9}(?![0-9A-Za-z])", re.ASCII)

REDACTED = "[redacted]"

Event = MutableMapping[str, Any]


def redacted(value: Any) -> Any:
    """The value without identity and phone numbers, inside containers as well."""
    if isinstance(value, str):
        return _PHONE.sub(REDACTED, _IDENTITY.sub(REDACTED, value))
    if isinstance(value, dict):
        return {redacted(key): redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(inner) for inner in value]
    if isinstance(value, bool | None.__class__):
        return value
    if isinstance(value, int):
        # A number that was a text before it reached the log is one all the same.
        text = str(value)
        return value if redacted(text) == text else REDACTED
    return redacted(str(value))


def redact(_logger: Any, _name: str, event: Event) -> Event:
    """Processor: redact every field of an event."""
    return {key: redacted(value) for key, value in event.items()}


def plain_stack(_logger: Any, _name: str, event: Event) -> Event:
    """Processor: an exception becomes its class and the places it went through.

    Its own words are kept for the hub's errors only: those of a database or a parser quote what they were given.
    """
    error = event.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = type(error).__name__
        if isinstance(error, HubError):
            event["error_message"] = error.message
        event["stack"] = [
            f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__)[-12:]
        ]
    return event


class Unquoted(logging.Filter):
    """For a library's own log: what a line quotes of a request is cut off, and an exception becomes its class.

    An address or a header may hold a name, which no pattern finds.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno >= logging.WARNING:
            # Before the values are put in, so that only the library's own words are left where it passes them apart.
            text = str(record.msg).partition("%")[0] if record.args else str(record.msg)
            kind = f" ({record.exc_info[0].__name__})" if record.exc_info and record.exc_info[0] else ""
            record.msg = redacted(text.partition("'")[0].rstrip()) + kind
            record.args, record.exc_info, record.exc_text, record.stack_info = (), None, None, None
        return True


def _render(_logger: Any, _name: str, event: Event) -> str:
    # orjson escapes line breaks and control characters: a value cannot begin a line of its own.
    return orjson.dumps(event, default=str).decode()


def configure(level: str = "INFO", *, stream: Any = None) -> None:
    """Set structlog up for this process, and pass the libraries' own loggers through the same walls."""
    number = logging.getLevelNamesMapping()[level]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        plain_stack,
        redact,
    ]
    structlog.configure(
        processors=[*shared, _render],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        # A line and its end in one write: several processes share the stream.
        logger_factory=structlog.WriteLoggerFactory(file=stream or sys.stdout),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared[:3],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, plain_stack, redact, _render],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))

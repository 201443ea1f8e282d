"""Logging: one JSON line per event, or readable lines in a terminal."""

import logging
import resource
import sys

import structlog


def configure(service: str, *, level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error, tagged with the service's name.

    Also forbids core dumps: the memory of a process that charges cards holds card numbers.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks are plain: local variables, which prettier ones show, may hold a card.
    rendered: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if sys.stderr.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("grpc._cython.cygrpc").addFilter(_repeats_no_header)


def _repeats_no_header(record: logging.LogRecord) -> bool:
    """Refuse what grpc logs of a header that is no UTF-8: its value, be it an API key or a card."""
    return not str(record.msg).startswith("Invalid encoding")

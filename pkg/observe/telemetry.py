"""Logging: one JSON line per event, or readable lines in a terminal."""

import logging
import resource
from typing import Any, TextIO, cast

import structlog

from pkg.observe import log_stream
from pkg.observe.log_stream import LogStream


def configure(service: str, *, level: int = logging.INFO) -> None:
    """Send every log line of this process to standard error, tagged with the service's name.

    Logging raises nothing, whatever happens to the line: calls and loops go on.

    Also forbids core dumps: the memory of a process that charges cards holds card numbers.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    stream = log_stream.install()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks are plain: local variables, which prettier ones show, may hold a card.
    rendered: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if stream.isatty()
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=_never_raising(structlog.make_filtering_bound_logger(level), stream),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", stream)),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handlers = [_Handler(stream)]
    logging.basicConfig(handlers=handlers, level=logging.WARNING, format="%(name)s: %(message)s")
    logging.getLogger("grpc._cython.cygrpc").addFilter(_repeats_no_header)


class _Handler(logging.StreamHandler[LogStream]):
    """Takes what libraries log; of a record that can't be made a line, nothing is told."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - logging's own
        self.stream.lose()


def _never_raising(logger: Any, stream: LogStream) -> type:
    """Return a logger that loses a line where another would raise."""

    class NeverRaising(logger):  # type: ignore[misc]  # made at run time, as structlog's is
        def _proxy_to_logger(self, method_name: str, event: str | None = None, **told: Any) -> Any:
            try:
                return super()._proxy_to_logger(method_name, event, **told)
            except Exception:  # noqa: BLE001  # such as a value that can't be shown
                stream.lose()
                return None

    return NeverRaising


def _repeats_no_header(record: logging.LogRecord) -> bool:
    """Refuse what grpc logs of a header that is no UTF-8: its value, be it an API key or a card."""
    return not str(record.msg).startswith("Invalid encoding")

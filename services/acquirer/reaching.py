"""The bank's database, as the bank's callers see it when it is away."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from pkg.errors import DependencyUnavailableError
from pkg.postgres.sql import translated
from services.acquirer.errors import UnreachableError

logger = structlog.get_logger()


@contextmanager
def reached() -> Iterator[None]:
    """Turn what says that PostgreSQL is away, restarting, or too busy into UnreachableError."""
    try:
        with translated():
            yield
    except DependencyUnavailableError as error:
        logger.warning("database.away", error=type(error.__cause__).__name__)
        raise UnreachableError from error

"""A gateway that makes sandboxes for tests, and removes them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from paygate_client import (
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    CreatedSandbox,
    NotFoundError,
    Paygate,
    PaygateError,
    PermissionDeniedError,
    UnavailableError,
)
from paygate_testing.errors import NeverCameError, SetupError
from paygate_testing.sandbox import Sandbox

TIME_TO_LIVE = timedelta(minutes=30)
_CALL_SECONDS_MAX = 15.0
_MOMENT_SECONDS = 2.0
_DRAIN_SECONDS_MAX = 10.0
_NAME_CHARACTERS_MAX = 255

logger = logging.getLogger("paygate_testing")


class Gateway:
    """A gateway, and the merchant whose sandboxes the tests use.

    Args:
        url: The gateway's address.
        api_key: `sk_…` of a merchant, with the scope `sandboxes`.
        origin: Where both come from, for messages.

    Attributes:
        url: The gateway's address.
        client: Makes calls as that merchant, whom all tests share: mostly you want a sandbox's.

    Raises:
        SetupError: The address is not one of HTTP, or the key is no API key.
    """

    def __init__(self, url: str, api_key: str, *, origin: str) -> None:
        self.url = url
        self._api_key = api_key
        self._origin = origin
        self._was_away = False
        try:
            self.client = Paygate(url, api_key, deadline_seconds=_CALL_SECONDS_MAX)
        except ValueError as problem:
            raise SetupError(f"{origin}: {problem}.") from None

    def __repr__(self) -> str:
        return f"Gateway({self.url!r})"

    def answers(self) -> bool:
        """Say whether it answers within a moment, and knows the key."""
        with Paygate(self.url, self._api_key, deadline_seconds=_MOMENT_SECONDS) as client:
            try:
                next(iter(client.sandbox.sandboxes()), None)
            except (ConnectionFailedError, AuthenticationError, UnavailableError):
                return False
            except PaygateError:
                return True  # `check` explains it
            return True

    def check(self) -> None:
        """Make sure that it answers, and knows sandboxes.

        Raises:
            SetupError: It does not; the message says what to do.
        """
        with self._explained():
            next(iter(self.client.sandbox.sandboxes()), None)

    @contextmanager
    def sandbox(
        self,
        name: str,
        *,
        time_to_live: timedelta = TIME_TO_LIVE,
        start_time: datetime | None = None,
    ) -> Iterator[Sandbox]:
        """Make a sandbox for a `with` block, and delete it at its end, however that comes.

        Args:
            name: For people.
            time_to_live: When it goes by itself if nobody is left to delete it: 7 days at most.
            start_time: What its clock says at first; by default the real time, and never before it.

        Raises:
            SetupError: The gateway makes none; the message says what to do.
        """
        if self._is_gone():
            raise SetupError(f"{self._origin}: {self._silence()}")
        with self._explained():
            made = self.client.sandbox.create_sandbox(
                name[-_NAME_CHARACTERS_MAX:], time_to_live=time_to_live, start_time=start_time
            )
        try:
            with Paygate(self.url, made.api_key) as client:
                yield Sandbox(made.sandbox.id, self.url, made.api_key, client)
        finally:
            self._delete(made)

    def _delete(self, made: CreatedSandbox) -> None:
        """Delete a sandbox; one that can't be deleted now goes when its time is over."""
        if self._is_gone():
            return
        try:
            try:
                self.client.sandbox.delete_sandbox(made.sandbox)
            except ConflictError:
                self._drain(made)
                self.client.sandbox.delete_sandbox(made.sandbox)
        except NotFoundError:
            pass  # the test has deleted it
        except (PaygateError, NeverCameError) as problem:
            self._was_away |= isinstance(problem, ConnectionFailedError)
            logger.warning("the sandbox %s is left to itself: %s", made.sandbox.id, problem)

    def _drain(self, made: CreatedSandbox) -> None:
        """Wait until the bank has answered everything, which no order of a test may now hinder."""
        with Paygate(self.url, made.api_key) as client:
            for rule in client.sandbox.bank_rules():
                client.sandbox.delete_bank_rule(rule)
            client.sandbox.drain(timedelta(seconds=_DRAIN_SECONDS_MAX))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except PaygateError as problem:
            self._was_away |= isinstance(problem, ConnectionFailedError)
            raise SetupError(f"{self._origin}: {self._why(problem)}") from problem

    def _is_gone(self) -> bool:
        """Say whether it was away before, and still is: not every test has to wait as long."""
        if self._was_away:
            self._was_away = not self.answers()
        return self._was_away

    def _silence(self) -> str:
        return f"nobody answers at {self.url}. Is the gateway running?"

    def _why(self, problem: PaygateError) -> str:
        match problem:
            case ConnectionFailedError():
                return self._silence()
            case AuthenticationError():
                return f"the gateway at {self.url} does not know this API key. Use one of its own."
            case PermissionDeniedError():
                return (
                    "this API key may not make sandboxes. Use one with the scope `sandboxes`:"
                    " `paygate keys create MERCHANT --name tests --scope sandboxes`."
                )
            case NotFoundError():
                return (
                    f"the gateway at {self.url} makes no sandboxes: it serves production, or is"
                    " older than this plugin. Use another one."
                )
            case _:
                return str(problem)

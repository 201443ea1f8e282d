# Generated from `_async` by `make proto-generate`: change it there.
"""What tests need. With a gateway in production each call raises `NotFoundError`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from paygate_client import _bank_requests as bank
from paygate_client import _logged_requests as logged
from paygate_client import _sandbox_requests as requests
from paygate_client import _sandboxes_requests as sandboxes
from paygate_client._sync.listing import Listing
from paygate_client._sync.transport import Transport
from paygate_client.bank_models import BankRequest, BankRule
from paygate_client.enums import ListenerProblem
from paygate_client.models import Payment
from paygate_client.sandbox_models import (
    Clock,
    CreatedSandbox,
    Drained,
    Due,
    InboxMessage,
    ListenerMessage,
    LoggedRequest,
    SandboxInfo,
    TestCard,
)


class Sandbox:
    """The sandbox's clock, and what else a test turns."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def clock(self) -> Clock:
        """Return the sandbox's clock."""
        return self._transport.send(requests.get_clock())

    def advance(self, by: timedelta, *, idempotency_key: str | None = None) -> Clock:
        """Turn the merchant's clock forward, by 1 second to 400 days; `reset` puts it back."""
        return self._transport.send(requests.advance_clock(by), idempotency_key)

    def drain(self, at_most: timedelta = timedelta(seconds=3)) -> Drained:
        """Return when everything that is due was done, or after a time, of 30 s at most."""
        return self._transport.send(requests.drain(at_most))

    def reset(self, *, idempotency_key: str | None = None) -> int:
        """Remove the merchant's payments, events, endpoints and rules; return how many payments."""
        return self._transport.send(requests.reset(), idempotency_key)

    def inbox(self) -> Listing[InboxMessage]:
        """List what came for endpoints at `https://inbox.paygate.test/`, the newest first."""
        return Listing(self._transport, lambda at: requests.list_inbox(token=at))

    def take_webhooks(
        self,
        endpoint_id: str,
        listener: str,
        *,
        begin: bool = False,
        wait: timedelta = timedelta(seconds=3),
    ) -> Sequence[ListenerMessage]:
        """Return what is to be posted to an endpoint at `https://listener.paygate.test/`.

        Args:
            endpoint_id: `we_…`.
            listener: What tells this listener from others, such as a UUID made when it starts.
            begin: Whether it takes the place of any other; and what that one has not answered.
            wait: How long to wait for something, up to 4 s.

        Raises:
            NotFoundError: There is no such endpoint.
            InvalidRequestError: It is not for listeners.
            RefusedError: `LISTENER_REPLACED`: another one has begun.
        """
        call = requests.take_webhooks(endpoint_id, listener, begin=begin, wait=wait)
        return self._transport.send(call)

    def answer_webhook(
        self,
        endpoint_id: str,
        message_id: str,
        *,
        status_code: int = 0,
        problem: ListenerProblem | None = None,
        reply: str = "",
    ) -> bool:
        """Tell what came of a message: a status, or why there was none.

        Returns:
            Whether it counts: False if it came too late, or twice.

        Raises:
            InvalidRequestError: A field is wrong.
        """
        call = requests.answer_webhook(
            endpoint_id, message_id, status_code=status_code, problem=problem, reply=reply
        )
        return self._transport.send(call)

    def due(self) -> Sequence[Due]:
        """Return the first 20 things that time brings, the soonest first."""
        return self._transport.send(requests.list_due())

    def test_cards(self) -> Sequence[TestCard]:
        """Return the cards whose numbers decide what the simulated bank does."""
        return self._transport.send(requests.list_test_cards())

    def create_bank_rule(self, rule: BankRule, *, idempotency_key: str | None = None) -> BankRule:
        """Have the bank do something else than the card's number says; return the rule as made.

        Of several rules for an operation the one counts that was made first.
        """
        return self._transport.send(bank.create_rule(rule), idempotency_key)

    def bank_rules(self) -> Sequence[BankRule]:
        """Return the merchant's rules in the order in which they were made."""
        return self._transport.send(bank.list_rules())

    def delete_bank_rule(self, rule: BankRule | str) -> None:
        """Remove a rule; what was decided by it stays."""
        rule_id = rule.id if isinstance(rule, BankRule) else rule
        self._transport.send(bank.delete_rule(rule_id))

    def bank_requests(self) -> Listing[BankRequest]:
        """List the last 500 things that the bank was asked for, the newest first."""
        return Listing(self._transport, lambda at: bank.list_requests(token=at))

    def create_sandbox(
        self,
        name: str,
        *,
        time_to_live: timedelta | None = None,
        start_time: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> CreatedSandbox:
        """Make a sandbox: a merchant with an API key, a clock, an inbox and bank rules of its own.

        Args:
            name: For people; several may have the same.
            time_to_live: After how long it goes by itself: 1 second to 7 days; a day if not given.
            start_time: What its clock says at first; the real time if not given, and never before.
            idempotency_key: Makes one with it; one is made up if none is given.

        Raises:
            InvalidRequestError: A field is wrong.
            RefusedError: `SANDBOX_LIMIT`: the merchant has 500 already, or is a sandbox itself.
        """
        call = sandboxes.create_sandbox(name, time_to_live=time_to_live, start_time=start_time)
        return self._transport.send(call, idempotency_key)

    def sandboxes(self) -> Listing[SandboxInfo]:
        """List the merchant's sandboxes that have not ended, the newest first."""
        return Listing(self._transport, lambda at: sandboxes.list_sandboxes(token=at))

    def delete_sandbox(self, sandbox: SandboxInfo | str) -> None:
        """End a sandbox; its API key works no more, and what it has is removed soon.

        Raises:
            NotFoundError: There is no such sandbox, or it has ended.
            ConflictError: `ACTION_PENDING`: an action in it waits for the bank.
        """
        sandbox_id = sandbox.id if isinstance(sandbox, SandboxInfo) else sandbox
        self._transport.send(sandboxes.delete_sandbox(sandbox_id))

    def requests(
        self,
        *,
        failed: bool = False,
        payment: Payment | str | None = None,
        idempotency_key: str | None = None,
        method: str | None = None,
    ) -> Listing[LoggedRequest]:
        """List the merchant's last 10,000 calls, newest first.

        Args:
            failed: True for only those that ended with an error.
            payment: Only those about this payment.
            idempotency_key: Only those with this key.
            method: Only those of this RPC, such as `Authorize`.
        """
        return Listing(
            self._transport,
            lambda at: logged.list_requests(
                failed=failed,
                payment=payment,
                idempotency_key=idempotency_key,
                method=method,
                token=at,
            ),
        )

    def request(self, request_id: str) -> LoggedRequest:
        """Return one of these calls, by the id that its reply or error came with.

        Raises:
            NotFoundError: It is not in the log, or not yet: that takes a moment.
        """
        return self._transport.send(logged.get_request(request_id))

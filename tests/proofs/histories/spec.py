"""What a payment of 100 may do, one step after another, in plain words and without our own code.

A verb takes two steps: it begins, which reserves what it is about, and it ends, as the bank says.
Between them others see what is reserved. A refusal and a look are one step.
"""

from dataclasses import dataclass, replace

AUTHORIZED = 100
# Tells that many write at once; nothing has happened, whatever the payment is like.
BUSY = "CONCURRENT_UPDATE"
LOOK = "LOOK"


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reply shows of the payment."""

    status: str
    captured: int
    refunded: int
    capturable: int
    refundable: int


@dataclass(frozen=True, slots=True)
class Call:
    """What a client asked for, and what it was told. Times are seconds of one clock.

    Attributes:
        verb: CAPTURE, REFUND, VOID, RELEASE (a void of the rest), or LOOK.
        outcome: SUCCEEDED or DECLINED; else the reason of the refusal.
        invoked: When it was sent first.
        told: When the first reply came; it may have said PENDING.
        ended: When the final reply came.
        sequence: The action's place in the payment's history; 0 without one.
        seen: What the final reply shows; None of a refusal.
    """

    verb: str
    amount: int
    final: bool
    outcome: str
    invoked: float
    told: float
    ended: float
    sequence: int = 0
    seen: Seen | None = None

    @property
    def is_done(self) -> bool:
        """Whether it went to the bank."""
        return self.outcome in {"SUCCEEDED", "DECLINED"}

    @property
    def effect(self) -> int:
        """By how much it has raised what is captured, or refunded."""
        moves = self.verb in {"CAPTURE", "REFUND"} and self.outcome == "SUCCEEDED"
        return self.amount if moves else 0


Open = tuple[int, str, int, bool]  # the call's number, verb, amount, final


@dataclass(frozen=True, slots=True)
class State:
    """A payment that is authorized. `over`: nothing more can be captured."""

    captured: int = 0
    refunded: int = 0
    over: bool = False
    voided: bool = False
    begun: int = 1  # actions; the authorization was the first
    open: frozenset[Open] = frozenset()

    def reserved(self, verb: str) -> int:
        """Return what is under way of one verb."""
        return sum(amount for _, name, amount, _ in self.open if name == verb)

    def refusal(self, verb: str, amount: int) -> str:
        """Return why a verb is refused now; empty if it may begin."""
        verbs = {name for _, name, _, _ in self.open}
        if self.voided or verbs & {"VOID", "RELEASE"}:
            return "PAYMENT_VOIDED" if self.voided else "ACTION_PENDING"
        if verb == "REFUND":
            return self._refusal_of_refund(amount, verbs)
        if self.refunded:
            return "PAYMENT_REFUNDED"
        if verb == "CAPTURE":
            return self._refusal_of_capture(amount, verbs)
        return self._refusal_of_void(verbs, rest=verb == "RELEASE")

    def _refusal_of_void(self, verbs: set[str], *, rest: bool) -> str:
        if self.captured and not rest:
            return "PAYMENT_CAPTURED"
        if verbs or not rest:
            return "ACTION_PENDING" if verbs else ""
        if not self.captured:
            return "NOT_CAPTURED"
        return "" if self._left else "PAYMENT_CAPTURED"

    def _refusal_of_refund(self, amount: int, verbs: set[str]) -> str:
        if "CAPTURE" in verbs:
            return "ACTION_PENDING"
        if not self.captured:
            return "NOT_CAPTURED"
        left = self.captured - self.refunded - self.reserved("REFUND")
        return "AMOUNT_EXCEEDS_REFUNDABLE" if amount > left else ""

    def _refusal_of_capture(self, amount: int, verbs: set[str]) -> str:
        if "REFUND" in verbs or any(final for *_, final in self.open):
            return "ACTION_PENDING"
        return "AMOUNT_EXCEEDS_CAPTURABLE" if amount > self._left else ""

    @property
    def _left(self) -> int:
        return 0 if self.over else AUTHORIZED - self.captured - self.reserved("CAPTURE")

    def begin(self, number: int, call: Call) -> "State | None":
        """Return the payment after a verb has begun; None if it could not have."""
        if self.refusal(call.verb, call.amount) or call.sequence != self.begun + 1:
            return None
        opened = (number, call.verb, call.amount, call.final)
        return replace(self, begun=self.begun + 1, open=self.open | {opened})

    def end(self, number: int, call: Call) -> "State | None":
        """Return the payment after a verb has ended; None if its reply shows something else."""
        opened = (number, call.verb, call.amount, call.final)
        after = replace(self, open=self.open - {opened})
        if call.outcome == "SUCCEEDED":
            closes = call.verb in {"REFUND", "RELEASE"} or (call.verb == "CAPTURE" and call.final)
            after = replace(
                after,
                captured=self.captured + (call.amount if call.verb == "CAPTURE" else 0),
                refunded=self.refunded + (call.amount if call.verb == "REFUND" else 0),
                voided=call.verb == "VOID",
                over=self.over or closes,
            )
        return after if after.seen == call.seen else None

    @property
    def seen(self) -> Seen:
        """What is shown of it."""
        may = not self.refusal("CAPTURE", 0)
        refundable = self.captured - self.refunded - self.reserved("REFUND")
        return Seen(
            self._status, self.captured, self.refunded, self._left if may else 0, refundable
        )

    @property
    def _status(self) -> str:
        if self.voided:
            return "VOIDED"
        if self.refunded:
            return "REFUNDED" if self.refunded == self.captured else "PARTIALLY_REFUNDED"
        if not self.captured:
            return "AUTHORIZED"
        is_all = self.over or self.captured == AUTHORIZED
        return "CAPTURED" if is_all else "PARTIALLY_CAPTURED"

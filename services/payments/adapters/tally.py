"""What is counted of the store: groups, and what the changes that it has stored mean."""

from collections.abc import Callable, Mapping

from pkg.observe.metrics import Histogram, Metrics
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.hold import Hold
from services.payments.domain.payment import Payment
from services.payments.ports import Change

_SIZES = (1, 2, 4, 8, 16, 32, 64)
_ENDS = {
    ActionStatus.SUCCEEDED: "approved",
    ActionStatus.DECLINED: "declined",
    ActionStatus.FAILED: "failed",
}
_MOVES_MONEY = {
    kind: kind.lower() for kind in (ActionType.AUTHORIZE, ActionType.CAPTURE, ActionType.REFUND)
}


class GroupTally:
    """How large groups of one kind were, and how long their statements took."""

    def __init__(self, size: Histogram, seconds: Histogram) -> None:
        self._size = size
        self._seconds = seconds

    def done(self, size: int, seconds: float) -> None:
        """Count a group."""
        self._size.observe(size)
        self._seconds.observe(seconds)


class StoreTally:
    """Counts what a store does; given to it where it is made."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        size = metrics.histogram(
            "paygate_group_size",
            "How many changes (commits; of a row, each) or loads went together in one statement.",
            ("group",),
            bounds=_SIZES,
        )
        seconds = metrics.histogram(
            "paygate_group_seconds", "How long that statement took.", ("group",)
        )
        self.commits = GroupTally(size.of("commits"), seconds.of("commits"))
        self.loads = GroupTally(size.of("loads"), seconds.of("loads"))
        self._authorizations = metrics.counter(
            "paygate_authorizations_total",
            "Authorizations by what came of them. One that a client was told is pending is counted"
            " again when it has ended.",
            ("outcome", "decline_code", "brand"),
        )
        self._money = metrics.counter(
            "paygate_money_minor_units_total",
            "The sum of what was authorized, captured and refunded, in the currency's minor unit.",
            ("operation", "currency"),
        )
        self._expiries = metrics.counter(
            "paygate_expiries_total",
            "Expiries that began (begun), and that ended without a capture (expired) or with one,"
            " whose rest was released (released).",
            ("outcome",),
        )
        for outcome in ("begun", "expired", "released"):
            self._expiries.of(outcome)

    def show_waiting(self, waiting: Callable[[], Mapping[str, int]]) -> None:
        """Show how much waits for its group, by the kind of group."""
        self._metrics.reading(
            "paygate_group_waiting",
            "How many changes and loads wait for their turn.",
            ("group",),
            lambda: [((group,), count) for group, count in waiting().items()],
        )

    def committed(self, change: Change) -> None:
        """Count what a change means that was stored."""
        action = change.actions[0]
        if action.type is ActionType.EXPIRE:
            self._expiries.of(self._expiry(change)).inc()
        if action.status is ActionStatus.PENDING:
            return
        if action.type is ActionType.AUTHORIZE:
            code = action.decline or ""
            brand = change.payment.card.brand
            self._authorizations.of(_ENDS[action.status], code, brand).inc()
        operation = _MOVES_MONEY.get(action.type)
        if operation and action.status is ActionStatus.SUCCEEDED:
            self._money.of(operation, action.amount.currency).inc(action.amount.minor_units)

    def left_pending(self, payment: Payment, action: Action) -> None:
        """Count an authorization whose reply says PENDING."""
        if action.type is ActionType.AUTHORIZE:
            self._authorizations.of("pending", "", payment.card.brand).inc()

    @staticmethod
    def _expiry(change: Change) -> str:
        if change.actions[0].status is ActionStatus.PENDING:
            return "begun"
        return "expired" if change.payment.hold is Hold.EXPIRED else "released"

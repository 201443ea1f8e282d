"""Steps that look at what came back, and at the payment as it is now."""

import re
from collections.abc import Sequence
from datetime import timedelta

from pytest_bdd import parsers, then

from paygate.payments.v1.payment_pb2 import Action, Amount, Card, Decline, Payment
from tests.e2e.steps.errors import assert_refused
from tests.e2e.steps.requests import answers_to
from tests.e2e.steps.story import AMOUNT, SETTLES_SECONDS_MAX, Asked, Story, rows, shown

AMOUNTS = ("authorized", "captured", "refunded", "capturable", "refundable")


@then(
    parsers.re(
        rf"the (?P<verb>[A-Z]+) of (?P<amount>{AMOUNT}) is (?P<status>[A-Z]+)"
        r"(?: with (?P<code>[A-Z_]+))?"
    )
)
def action_is(story: Story, verb: str, amount: str, status: str, code: str | None) -> None:
    """The reply's action is of this verb and amount, and ended so."""
    action = story.answer.action
    assert (verb, amount) == (type_of(action), shown(action.amount))
    assert (status, code) == (status_of(action), decline_of(action))
    assert action.payment_id == story.answer.payment.id
    assert story.answer.http_status in {None, 200}


@then(parsers.re(r"the action is (?P<status>[A-Z]+)"))
def action_ended(story: Story, status: str) -> None:
    """The reply's action ended so."""
    assert status_of(story.answer.action) == status


@then("the action has the bank's approval code, in the history as well")
def approval_code_is(story: Story) -> None:
    """The code is the same in the reply and in the history."""
    action = story.answer.action
    assert re.fullmatch(r"[0-9A-F]{8}", action.approval_code)
    actions = story.look(include_actions=True).actions
    history = {each.id: each.approval_code for each in actions}
    assert history[action.id] == action.approval_code


@then("the action has no approval code")
def approval_code_is_empty(story: Story) -> None:
    """The bank has approved nothing."""
    assert story.answer.action.approval_code == ""


@then(parsers.re(r"the payment is (?P<status>[A-Z_]+)"))
def payment_is(story: Story, status: str) -> None:
    """The payment has this status, in the reply and when it is looked at."""
    found = story.look()
    assert payment_status(found) == status
    assert found == story.answer.payment


@then(parsers.re(r"the payment is (?P<status>[A-Z_]+) by now"))
def payment_is_now(story: Story, status: str) -> None:
    """The payment has this status, whatever the reply shows."""
    assert payment_status(story.look()) == status


@then(parsers.re(r"the reply shows the payment (?P<status>[A-Z_]+)"))
def reply_shows(story: Story, status: str) -> None:
    """The payment in the reply has this status."""
    assert payment_status(story.answer.payment) == status


@then("its amounts are")
def amounts_are(story: Story, datatable: Sequence[Sequence[str]]) -> None:
    """The payment has these five amounts, each with its currency."""
    found = story.look()
    (expected,) = rows(datatable)
    assert {name: shown(getattr(found, name)) for name in AMOUNTS} == expected


@then(parsers.re(rf"(?P<amount>{AMOUNT}) can be captured"))
def capturable_is(story: Story, amount: str) -> None:
    """Nothing else is capturable."""
    assert shown(story.look().capturable) == amount


@then("the payment is as it was")
def payment_unchanged(story: Story) -> None:
    """The payment is what the last reply that showed it said."""
    assert story.look() == story.payment


@then(
    parsers.re(
        r"the payment is still (?P<status>[A-Z_]+), with "
        rf"(?P<capturable>{AMOUNT}) capturable and (?P<refundable>{AMOUNT}) refundable"
    )
)
def payment_is_still(story: Story, status: str, capturable: str, refundable: str) -> None:
    """What an action in flight is about is held, and nothing else has changed yet."""
    payment = story.answer.payment
    assert payment_status(payment) == status
    assert (shown(payment.capturable), shown(payment.refundable)) == (capturable, refundable)
    assert story.look() == payment


@then(parsers.re(r"meanwhile all of these are refused with (?P<reason>[A-Z_]+)"))
def meanwhile(story: Story, reason: str, datatable: Sequence[Sequence[str]]) -> None:
    """Other requests are refused while the action is in flight."""
    for answer in answers_to(story, [request for (request,) in datatable]):
        assert_refused(answer, reason)


@then(parsers.re(r"within 5 s the payment becomes (?P<status>[A-Z_]+)"))
def payment_becomes(story: Story, status: str) -> None:
    """Nobody does anything, and no action stays PENDING."""

    def settled(payment: Payment) -> bool:
        return all(status_of(action) != "PENDING" for action in payment.actions)

    found = story.look_until(settled, SETTLES_SECONDS_MAX)
    assert payment_status(found) == status


@then("its history is")
def history_is(story: Story, datatable: Sequence[Sequence[str]]) -> None:
    """These are the actions, oldest first, numbered from 1."""
    actions = story.look(include_actions=True).actions
    assert [
        {"type": type_of(action), "amount": shown(action.amount), "status": status_of(action)}
        for action in actions
    ] == rows(datatable)
    assert [action.sequence for action in actions] == list(range(1, len(actions) + 1))


@then(parsers.parse("the history has {count:d} actions"))
def history_has(story: Story, count: int) -> None:
    """No request had two effects."""
    assert len(story.look(include_actions=True).actions) == count


@then("the list of its actions is the same")
def listed_history(story: Story) -> None:
    """ListPaymentActions shows what GetPayment does."""
    listed = story.call(Asked("ListPaymentActions", {"id": story.payment.id}, story.credentials))
    assert listed.message is not None
    assert listed.message.actions == story.look(include_actions=True).actions  # type: ignore[attr-defined]


@then("nothing was declined")
def not_declined(story: Story) -> None:
    """Neither action nor payment has a decline."""
    assert not story.answer.action.HasField("decline")
    assert not story.answer.payment.HasField("decline")


@then("the payment itself was not declined")
def payment_not_declined(story: Story) -> None:
    """A payment's decline is that of its authorization only."""
    assert not story.look().HasField("decline")


@then(parsers.re(r"the payment says (?P<code>[A-Z_]+) too, with a sentence for people"))
def payment_declined(story: Story, code: str) -> None:
    """The payment's decline is that of its authorization."""
    payment = story.look()
    assert payment.decline == story.answer.action.decline
    assert Decline.Code.Name(payment.decline.code) == f"CODE_{code}"
    assert payment.decline.message


@then(
    parsers.re(
        r"(?P<which>the payment|the action|payment and action) (has|have)"
        r' the reference "(?P<reference>[^"]*)"'
    )
)
def reference_is(story: Story, which: str, reference: str) -> None:
    """What the client calls it comes back."""
    if "payment" in which:
        assert story.look().reference == reference
    if "action" in which:
        assert story.answer.action.reference == reference


@then(parsers.re(r"the payment shows the card (?P<brand>[A-Z_]+) ending in (?P<last4>\d{4})"))
def card_is(story: Story, brand: str, last4: str) -> None:
    """Brand, last four digits and expiry of the card that was sent."""
    card = story.look().card
    assert (Card.Brand.Name(card.brand), card.last4) == (f"BRAND_{brand}", last4)
    assert (card.expiry.month, card.expiry.year) == (11, 2040)


@then(parsers.re(r"the reply holds the card's number (?P<pan>[\d -]+) nowhere"))
def number_hidden(story: Story, pan: str) -> None:
    """Neither as it was sent nor as digits."""
    for text in (pan, re.sub(r"\D", "", pan)):
        assert text.encode() not in story.answer.body


@then(
    parsers.parse(
        'the payment\'s id is "pay_" and 26 characters, the action\'s "act_" and 26 characters'
    )
)
def ids_are(story: Story) -> None:
    """Ids are TypeIDs."""
    typeid = "[0-7][0-9a-hjkmnp-tv-z]{25}"
    assert re.fullmatch(f"pay_{typeid}", story.answer.payment.id)
    assert re.fullmatch(f"act_{typeid}", story.answer.action.id)


@then("the payment expires 7 days after it was made")
def expires(story: Story) -> None:
    """The authorization lasts for a week."""
    payment = story.answer.payment
    assert payment.expire_time.ToDatetime() - payment.create_time.ToDatetime() == timedelta(days=7)


def type_of(action: Action) -> str:
    """Return the verb."""
    return Action.Type.Name(action.type).removeprefix("TYPE_")


def status_of(action: Action) -> str:
    """Return how the action ended."""
    return Action.Status.Name(action.status).removeprefix("STATUS_")


def decline_of(action: Action) -> str | None:
    """Return why the action was declined, if it was."""
    if not action.HasField("decline"):
        return None
    assert action.decline.message
    return Decline.Code.Name(action.decline.code).removeprefix("CODE_")


def payment_status(payment: Payment) -> str:
    """Return where the payment stands; its five amounts are always set, with their currency."""
    amounts: list[Amount] = [
        value for field, value in payment.ListFields() if field.name in AMOUNTS
    ]
    assert len(amounts) == len(AMOUNTS)
    assert {amount.currency for amount in amounts} == {payment.authorized.currency}
    return Payment.Status.Name(payment.status).removeprefix("STATUS_")

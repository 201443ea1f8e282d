"""Steps about cards that the vault holds."""

from pytest_bdd import parsers, then, when

from paygate.payments.v1 import payment_service_pb2 as pb
from tests.e2e.steps.story import AMOUNT, Asked, Story, bearer, money


@when(
    parsers.re(
        rf"I authorize (?P<amount>{AMOUNT}) on its card's token"
        r'(?: with the key "(?P<key>[^"]*)")?(?P<other>, as another merchant)?'
    )
)
def on_its_token(story: Story, amount: str, key: str | None, other: str | None) -> None:
    """Authorize by the token of the scenario's payment."""
    story.named["before"] = story.payment
    fields = {"card_token": story.payment.card.token, "amount": money(amount)}
    if other:
        story.send(Asked("Authorize", fields, bearer(story.other_key)))
    else:
        story.ask("Authorize", fields, key=key)


@when(parsers.re(rf"I authorize (?P<amount>{AMOUNT}) on the token (?P<token>\S+)"))
def on_a_token(story: Story, amount: str, token: str) -> None:
    """Authorize by any token."""
    story.ask("Authorize", {"card_token": token, "amount": money(amount)})


@when(parsers.re(r"I remove its card(?P<other>, as another merchant)?"))
def remove_its_card(story: Story, other: str | None) -> None:
    """Remove the card of the scenario's payment from the vault."""
    fields = {"token": story.payment.card.token}
    credentials = bearer(story.other_key if other else story.api_key)
    story.send(Asked("DeleteCard", fields, credentials))


@when(parsers.re(r"I remove the card of the token (?P<token>\S+)"))
def remove_a_card(story: Story, token: str) -> None:
    """Remove a card by any token."""
    story.ask("DeleteCard", {"token": token})


@then("it is removed")
def is_removed(story: Story) -> None:
    """The reply says nothing, which is all that there is to say."""
    assert story.answer.error is None, story.answer
    assert story.answer.message == pb.DeleteCardResponse()


@then(parsers.re(r"its card has (?P<which>the same|another) token"))
def has_token(story: Story, which: str) -> None:
    """Compare with the token of the payment before."""
    before = story.named.get("before") or story.past[-1].payment
    token = story.answer.payment.card.token
    assert token.startswith("tok_")
    assert (token == before.card.token) == (which == "the same")

"""Steps about cards that the vault holds."""

from pytest_bdd import parsers, then, when

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


@then(parsers.re(r"its card has (?P<which>the same|another) token"))
def has_token(story: Story, which: str) -> None:
    """Compare with the token of the payment before."""
    before = story.named.get("before") or story.past[-1].payment
    token = story.answer.payment.card.token
    assert token.startswith("tok_")
    assert (token == before.card.token) == (which == "the same")

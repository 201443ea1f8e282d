"""Steps that follow a list."""

import re
from typing import Any

from pytest_bdd import parsers, then, when

from paygate.payments.v1.payment_pb2 import Action
from tests.e2e.steps.listing import filters, names
from tests.e2e.steps.story import Story


@when(
    parsers.re(
        r"I follow (?P<what>its actions|the payments)(?: with (?P<filters_>\S+))?"
        r"(?: in pages of (?P<size>\d+))?"
    )
)
def begin_to_follow(story: Story, what: str, filters_: str | None, size: str | None) -> None:
    """Read a list from its oldest row on."""
    rpc, fields = "ListPayments", filters(story, filters_ or "")
    if what == "its actions":
        rpc, fields = "ListPaymentActions", {"id": story.payment.id}
    fields |= {"follow": True, "page_size": int(size or 0)}
    story.followed = (rpc, fields)
    if size is None:
        story.ask(rpc, fields)
    else:
        go_on_following(story)


@when("I go on following")
def go_on_following(story: Story) -> None:
    """Read what came since, until a page is empty; what changes only the token stays."""
    rpc, fields = story.followed
    story.pages = []
    while not story.pages or story.pages[-1]:
        message: Any = story.ask(rpc, fields).message
        story.pages.append(list(message.payments if rpc == "ListPayments" else message.actions))
        assert message.next_page_token
        fields["page_token"] = message.next_page_token


@then(parsers.re(r"I am shown (?P<expected>.+)"))
def am_shown(story: Story, expected: str) -> None:
    """What came since the last look, oldest first, and nothing else."""
    found = [row for page in story.pages for row in page]
    if re.match("an? [A-Z]", expected):
        assert [f"TYPE_{expected.split()[1]}"] == [Action.Type.Name(one.type) for one in found]
    else:
        wanted = [] if expected == "nothing" else re.findall(r"\b(?!and\b)\w+", expected)
        assert names(story, found) == ", ".join(wanted)

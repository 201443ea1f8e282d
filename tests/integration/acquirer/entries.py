"""Short ways to write in the bank's book and to read it."""

from pkg.secret import Secret
from services.acquirer import simulator
from services.acquirer.book import Book
from services.acquirer.cards import Scenario
from services.acquirer.simulator import Authorization, Decision, Instruction, Operation, Void


async def opened(url: str, *, attempts_max: int = 1) -> Book:
    """Return the book that is kept at `url`."""
    return await Book.open(
        Secret(url),
        connections_max=8,
        statement_seconds_max=5.0,
        attempts_max=attempts_max,
        pause_seconds=0.05,
    )


def hold(reference: str, minor_units: int = 1000) -> Authorization:
    """Return what an ordinary card's authorization is decided to be."""
    return simulator.authorize(
        reference, Scenario.APPROVED, minor_units=minor_units, currency="GBP"
    )


async def applied(book: Book, reference: str, authorization: str, operation: Operation) -> Decision:
    """Find and apply, as the bank does."""
    instruction = Instruction(
        reference=reference, authorization_reference=authorization, operation=operation
    )
    return await book.apply(instruction, await book.find(instruction))


async def line(book: Book, authorization: str) -> Authorization:
    """Return an authorization as it stands in the book."""
    asked = Instruction(reference="-", authorization_reference=authorization, operation=Void())
    found = await book.find(asked)
    assert found.authorization is not None
    return found.authorization

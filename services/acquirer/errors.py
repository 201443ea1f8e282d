"""What can keep the bank from answering. The docstring's first line is what the caller reads."""


class AcquirerError(Exception):
    """The bank cannot answer."""

    def __str__(self) -> str:
        """Return the message: what was raised with, or else the docstring's first line."""
        return super().__str__() or (self.__doc__ or "").partition("\n")[0]


class InvalidRequestError(AcquirerError):
    """The request is malformed.

    Names the field at fault, never its value: it may be a card's number.
    """

    def __init__(self, field: str) -> None:
        super().__init__(f"The request is malformed: {field}.")


class ReferenceReusedError(AcquirerError):
    """The reference belongs to another request."""


class NeverError(AcquirerError):
    """The bank will not do this, now or later."""


class UnreachableError(AcquirerError):
    """The bank cannot be reached."""


class StaleRulesError(Exception):
    """Rules were changed since this was decided. Nothing was recorded: decide it again."""

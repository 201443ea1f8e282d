"""The one kind of failure that the local stack explains instead of tracing."""


class StackError(Exception):
    """Something the person at the terminal can understand and change; one sentence."""

"""What goes wrong before a test, or what a test waits for in vain."""


class SetupError(Exception):
    """There is no gateway that makes sandboxes; the message says what to do about it."""


class NeverCameError(AssertionError):
    """What a test waited for did not come in time; the message says what came instead."""

"""A stack as tests start it, on hosts whose clocks differ."""

from tests.e2e.stack import Stack


class SkewedStack(Stack):
    """Its processes have clocks of their own: see skew.py."""

    module = "tests.proofs.skewed_stack"

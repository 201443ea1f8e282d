# Generated from `_async` by `make proto-generate`: change it there.
"""One of the two edges: the other one is the same with, or without, time."""
